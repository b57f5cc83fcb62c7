// What a data set's rows become: show_rows TOKENIZER KIND ROWS [name=value ...] prints {"input_ids",
// "labels"} a row, or {"error"} for one that is refused.
#include <iostream>
#include <map>
#include <string>
#include <variant>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/processor.h"
#include "core/data/row_set.h"
#include "core/data/source.h"

namespace automodel {
namespace {

config::DatasetConfig dataset_of(const std::string& kind,
                                 const std::string& file,
                                 const std::map<std::string, std::string>& options) {
  const auto option = [&](const char* name, const char* missing) {
    return options.contains(name) ? options.at(name) : std::string(missing);
  };
  config::DatasetConfig dataset;
  dataset.paths = {file};
  dataset.split = "train";
  dataset.chat_template = option("chat_template", "");
  if (kind == "columns")
    dataset.kind = config::ColumnMappedSet{
        .column_mapping = {{"context", "context"}, {"question", "question"}, {"answer", "answer"}},
        .use_hf_chat_template = option("use_hf_chat_template", "") == "true"};
  if (kind == "squad") dataset.kind = config::SquadSet();
  if (kind == "hellaswag") dataset.kind = config::HellaSwagSet{.pad_to_max_length = false};
  if (kind == "chat")
    dataset.kind = config::ChatSet{.mask_reasoning_content = option("mask_reasoning_content", "") == "true",
                                   .mask_history = option("mask_history", "") == "true",
                                   .tool_arguments = option("tool_arguments", "as_is")};
  if (kind == "text") {
    dataset.kind = config::PlainTextSet{.document_separator = option("document_separator", ""),
                                        .append_eos = option("append_eos", "true") == "true"};
    dataset.seq_length = std::stoll(option("seq_length", "0"));
  }
  return dataset;
}

nlohmann::ordered_json shown(const data::Processor& processor, const data::Source& source, int64_t index) {
  try {
    const data::Sample sample = processor.process(source.row(index), index);
    return {{"input_ids", sample.input_ids}, {"labels", sample.labels}};
  } catch (const Error& error) {
    return {{"error", error.message()}};
  }
}

void run(const std::vector<std::string>& words) {
  check(words.size() >= 3, ErrorCode::kUsage, "show_rows TOKENIZER KIND ROWS [name=value ...]");
  std::map<std::string, std::string> options;
  for (size_t i = 3; i < words.size(); ++i) {
    const size_t sign = words[i].find('=');
    options[words[i].substr(0, sign)] = sign == std::string::npos ? "" : words[i].substr(sign + 1);
  }
  auto tokenizer = tokenizer::Tokenizer::load(words[0]);
  if (options.contains("add_bos_token")) tokenizer.set_add_special(options["add_bos_token"] == "true", {});
  const config::DatasetConfig dataset = dataset_of(words[1], words[2], options);
  if (std::holds_alternative<config::PlainTextSet>(dataset.kind)) {
    const auto rows = data::open_rows(dataset, tokenizer);
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const data::Sample sample = rows->sample(i, /*vocab_size=*/0);
      std::cout << nlohmann::ordered_json{{"input_ids", sample.input_ids}, {"labels", sample.labels}}.dump()
                << "\n";
    }
    return;
  }
  const auto source = data::open_source(dataset);
  const auto processor = data::make_processor(dataset, tokenizer, *source);
  for (int64_t i = 0; i < source->num_rows(); ++i) std::cout << shown(*processor, *source, i).dump() << "\n";
}

}  // namespace
}  // namespace automodel

int main(int argc, char** argv) {
  try {
    automodel::run({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
