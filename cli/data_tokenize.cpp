// automodel data tokenize: the ids of a text.
#include <charconv>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/text_input.h"
#include "core/base/error.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::cli {
namespace {

struct DataTokenizeOptions {
  std::string tokenizer;
  std::string file;
  bool no_special_tokens = false;
  bool lines = false;
  bool json = false;
};

/// Texts given to the tokenizer at once: enough to keep its threads busy, few enough to print early.
constexpr size_t kBatch = 4096;

/// "[1, 2, 3]" in JSON, else "1 2 3".
void print_ids(std::string& out, const std::vector<int32_t>& ids, bool json) {
  char digits[16];
  if (json) out += '[';
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += json ? ", " : " ";
    out.append(digits, std::to_chars(digits, digits + sizeof digits, ids[i]).ptr);
  }
  if (json) out += ']';
  out += '\n';
}

/// The text's lines without their line breaks; a last line break ends the last line.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void run(const DataTokenizeOptions& options) {
  const auto tokenizer = tokenizer::Tokenizer::load(options.tokenizer);
  const bool piped = options.file.empty() || options.file == "-";
  const std::string text = check_utf8(read_input(piped ? "-" : options.file), piped ? "stdin" : options.file);
  const std::vector<std::string_view> texts =
      options.lines ? lines_of(text) : std::vector<std::string_view>{text};
  for (size_t begin = 0; begin < texts.size(); begin += kBatch) {
    const size_t end = std::min(begin + kBatch, texts.size());
    const std::vector<std::string_view> batch(texts.begin() + static_cast<ptrdiff_t>(begin),
                                              texts.begin() + static_cast<ptrdiff_t>(end));
    std::string out;
    for (const auto& ids : tokenizer.encode_batch(batch, !options.no_special_tokens)) {
      print_ids(out, ids, options.json);
    }
    std::cout << out;
  }
}

}  // namespace

void add_data_tokenize(CLI::App& parent) {
  auto options = std::make_shared<DataTokenizeOptions>();
  CLI::App* command = parent.add_subcommand("tokenize", "the ids of a text");
  command
      ->add_option("--tokenizer",
                   options->tokenizer,
                   "a folder, loaded as transformers' AutoTokenizer does, or one tokenizer.json as it stands")
      ->type_name("DIR_OR_FILE")
      ->required();
  command->add_option("file", options->file, "text to read; standard input when absent")->type_name("FILE");
  command->add_flag("--no-special-tokens", options->no_special_tokens, "add no bos or eos token");
  command->add_flag("--lines", options->lines, "one list of ids for each line, without its line break");
  command->add_flag("--json", options->json, "print JSON lists");
  command->footer(
      "Without --lines the ids are those of the whole text as it stands, its last line break included.\n"
      "\n"
      "Examples:\n"
      "  echo -n 'Hello world' | automodel data tokenize --tokenizer SmolLM2-135M --json\n"
      "  automodel data tokenize --tokenizer tokenizer.json --no-special-tokens --lines --json corpus.txt");
  command->callback([options] { run(*options); });
}

}  // namespace automodel::cli
