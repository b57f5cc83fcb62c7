// automodel data build: pretraining shards from text.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/number_range.h"
#include "cli/text_input.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/plural.h"
#include "core/base/strings.h"
#include "core/data/nanogpt_writer.h"
#include "core/io/python_json.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::cli {
namespace {

struct DataBuildOptions {
  std::string tokenizer, prefix, document_token, field = "text";
  std::vector<std::string> files;
  int64_t tokens_per_shard = 100'000'000;
  bool json = false;
};

/// What stands before each document: the token asked for, else bos, else eos.
int32_t document_token(const tokenizer::Tokenizer& tokenizer, const std::string& wanted) {
  const std::optional<int32_t> id = !wanted.empty()            ? tokenizer.token_to_id(wanted)
                                    : tokenizer.bos_token_id() ? tokenizer.bos_token_id()
                                                               : tokenizer.eos_token_id();
  check(id.has_value(),
        ErrorCode::kUsage,
        wanted.empty() ? "the tokenizer has neither a bos nor an eos token" : wanted,
        wanted.empty() ? "" : " is not a token of this tokenizer",
        "; name one with --document-token");
  return *id;
}

/// The documents of a file: the given field of each line of a .jsonl file, else the whole text.
std::vector<std::string> documents_of(const std::string& path, const std::string& field) {
  std::string content = check_utf8(read_file(path), path);
  if (std::filesystem::path(path).extension() != ".jsonl") return {std::move(content)};
  std::vector<std::string> documents;
  int64_t line_number = 0;
  for (const std::string& line : split(content, '\n')) {
    ++line_number;
    if (trim(line).empty()) continue;
    io::JsonFault fault;
    const std::optional<nlohmann::ordered_json> row = io::read_python_json(line, fault);
    check(row && row->is_object() && row->contains(field) && (*row)[field].is_string(),
          ErrorCode::kData,
          path,
          ":",
          line_number,
          ": expected a JSON object with a text under \"",
          field,
          "\"; name the field with --field");
    documents.push_back((*row)[field].get<std::string>());
  }
  return documents;
}

void build(const DataBuildOptions& options) {
  const tokenizer::Tokenizer tokenizer = tokenizer::Tokenizer::load(options.tokenizer);
  const int32_t separator = document_token(tokenizer, options.document_token);
  data::NanogptWriter writer(options.prefix, tokenizer.vocab_size(), options.tokens_per_shard);
  int64_t num_documents = 0;
  for (const std::string& path : options.files) {
    for (const std::string& document : documents_of(path, options.field)) {
      std::vector<int32_t> ids = tokenizer.encode(document, /*add_special_tokens=*/false);
      ids.insert(ids.begin(), separator);
      writer.add(ids);
      ++num_documents;
    }
  }
  check(num_documents > 0,
        ErrorCode::kData,
        join(options.files, ", "),
        ": no document in it; nothing is written");
  for (const auto& shard : writer.close()) log::warning(shard.string(), ": of an earlier build, removed");

  if (options.json) {
    nlohmann::ordered_json result = {{"documents", num_documents}, {"tokens", writer.num_tokens()}};
    for (const auto& shard : writer.shards()) result["shards"].push_back(shard.string());
    std::cout << result.dump() << "\n";
    return;
  }
  std::cout << counted(writer.num_tokens(), "token") << " of " << counted(num_documents, "document")
            << " in\n";
  for (const auto& shard : writer.shards()) std::cout << shard.string() << "\n";
}

}  // namespace

void add_data_build(CLI::App& parent) {
  auto options = std::make_shared<DataBuildOptions>();
  CLI::App* command = parent.add_subcommand("build", "Write text as nanoGPT shards for pretraining");
  command->add_option("--tokenizer", options->tokenizer, "tokenizer folder or tokenizer.json")->required();
  command->add_option("-o,--output", options->prefix, "shards are named PREFIX_000000.bin, ...")
      ->required()
      ->type_name("PREFIX");
  command->add_option("files", options->files, "text files (one document each) or .jsonl (one a line)")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--field", options->field, "field of a .jsonl line that holds the text")
      ->capture_default_str();
  command->add_option(
      "--document-token", options->document_token, "token before each document (default: bos, else eos)");
  command->add_option("--shard-tokens", options->tokens_per_shard, "tokens a shard")
      ->capture_default_str()
      ->check(positive_integer());
  command->add_flag("--json", options->json, "print what was written as JSON");
  command->footer(
      "Examples:\n"
      "  automodel data build --tokenizer DIR -o data/notes notes/*.txt\n"
      "  automodel data build --tokenizer DIR -o data/web --field content web.jsonl\n"
      "Then, in a recipe: dataset.file_pattern: data/notes_*.bin (docs/formats/nanogpt.md).");
  command->callback([options] { build(*options); });
}

}  // namespace automodel::cli
