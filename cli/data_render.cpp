// automodel data render: what a chat template makes of a conversation.
#include <iostream>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/conversation.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/python_json.h"
#include "core/tokenizer/chat_folder.h"
#include "core/tokenizer/chat_variables.h"
#include "core/tokenizer/hub_folder.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::cli {
namespace {

using nlohmann::ordered_json;

struct DataRenderOptions {
  std::string template_file;
  std::string tokenizer;
  std::string input;
  bool json = false;
};

/// An object with messages, or the list of them alone.
ordered_json read_conversation(const std::string& file) {
  const std::string text = read_file(file);
  refuse_data_set(file, text);
  ordered_json input = io::parse_python_json(text, file);
  if (input.is_array()) return {{"messages", std::move(input)}};
  return input;
}

tokenizer::Rendered render(const DataRenderOptions& options) {
  const ordered_json input = read_conversation(options.input);
  try {
    if (!options.tokenizer.empty()) {
      return tokenizer::ChatFolder(tokenizer::read_hub_folder(options.tokenizer)).render(input);
    }
    const tokenizer::ChatTemplate chat_template(read_file(options.template_file));
    return chat_template.render(tokenizer::chat_variables(input));
  } catch (Error& error) {
    const std::string& source = options.tokenizer.empty() ? options.template_file : options.tokenizer;
    error.add_context("rendering " + options.input + " with " + source);
    throw;
  }
}

void run(const DataRenderOptions& options) {
  const tokenizer::Rendered rendered = render(options);
  if (!options.json) {
    std::cout << rendered.text;
    return;
  }
  ordered_json spans = ordered_json::array();
  for (const auto& [begin, end] : rendered.assistant_spans) spans.push_back({begin, end});
  std::cout << ordered_json({{"text", rendered.text}, {"assistant_spans", spans}}).dump() << "\n";
}

}  // namespace

void add_data_render(CLI::App& parent) {
  auto options = std::make_shared<DataRenderOptions>();
  CLI::App* command = parent.add_subcommand("render", "what a chat template makes of a conversation");
  CLI::Option* file =
      command->add_option("--template", options->template_file, "a Jinja file")->type_name("FILE");
  CLI::Option* folder =
      command
          ->add_option(
              "--tokenizer", options->tokenizer, "a tokenizer folder: its template and special tokens")
          ->type_name("DIR");
  file->excludes(folder);
  command
      ->add_option("--input",
                   options->input,
                   "JSON list of messages, or object: messages, tools, documents, add_generation_prompt, "
                   "any other variable")
      ->type_name("FILE")
      ->required();
  command->add_flag("--json", options->json, "print {\"text\", \"assistant_spans\"}, spans in code points");
  command->footer(
      "The text is what transformers' apply_chat_template gives, byte for byte, with nothing added.\n"
      "What is learnt of it is shown by automodel data show.\n"
      "AUTOMODEL_NOW=2024-07-26T12:00:00 holds the template's clock still.\n"
      "\n"
      "Examples:\n"
      "  automodel data render --tokenizer Qwen3-0.6B --input chat.json\n"
      "  automodel data render --template my.jinja --input chat.json --json\n"
      "where chat.json is\n"
      "  {\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true}");
  command->callback([options] {
    check(!options->template_file.empty() || !options->tokenizer.empty(),
          ErrorCode::kUsage,
          "data render needs --template FILE or --tokenizer DIR");
    run(*options);
  });
}

}  // namespace automodel::cli
