#include "core/data/column_mapped.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/prompt_completion.h"
#include "core/data/row_json.h"
#include "core/data/row_kinds.h"
#include "core/data/system_column.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

void check_mapping(const std::map<std::string, std::string>& columns) {
  for (const auto& [name, column] : columns) {
    check(name == "context" || name == "question" || name == "answer",
          ErrorCode::kConfig,
          "dataset.column_mapping: unknown name \"",
          name,
          "\"; expected context, question and answer");
  }
  check(columns.contains("answer") && columns.size() >= 2,
        ErrorCode::kConfig,
        "dataset.column_mapping: expected answer and at least one of context and question");
}

}  // namespace

ColumnMappedProcessor::ColumnMappedProcessor(const config::DatasetConfig& dataset,
                                             const tokenizer::Tokenizer& tokenizer)
    : columns_(std::get<config::ColumnMappedSet>(dataset.kind).column_mapping),
      answer_only_(std::get<config::ColumnMappedSet>(dataset.kind).answer_only_loss_mask),
      encoder_(dataset, tokenizer) {
  check_mapping(columns_);
  if (std::get<config::ColumnMappedSet>(dataset.kind).use_hf_chat_template &&
      (tokenizer.chat_template() != nullptr || !dataset.chat_template.empty())) {
    chat_.emplace(dataset, tokenizer);
  }
}

std::optional<std::string> ColumnMappedProcessor::text_of(const Json& row, const std::string& name) const {
  const auto column = columns_.find(name);
  if (column == columns_.end()) return std::nullopt;
  const auto value = row.find(column->second);
  if (value == row.end() || value->is_null()) return std::nullopt;
  check(value->is_string(),
        ErrorCode::kData,
        "\"",
        column->second,
        "\" is ",
        kind_of(*value),
        "; expected text");
  return value->get<std::string>();
}

bool ColumnMappedProcessor::is_mapped(const std::string& column) const {
  return std::ranges::any_of(columns_, [&](const auto& mapped) { return mapped.second == column; });
}

Sample ColumnMappedProcessor::process(const Json& row, int64_t /*index*/) const {
  const std::optional<std::string> context = text_of(row, "context");
  const std::optional<std::string> question = text_of(row, "question");
  const std::optional<std::string> answer = text_of(row, "answer");
  if (!answer) {
    fail(ErrorCode::kData,
         "\"",
         columns_.at("answer"),
         "\" (the answer) is missing or null; set dataset.column_mapping.answer; ",
         describe_row(row));
  }
  if (!context && !question) {
    fail(ErrorCode::kData,
         "neither context nor question is there; set dataset.column_mapping; ",
         describe_row(row));
  }
  if (chat_) {
    for (const auto& [column, value] : row.items()) {
      if (!is_mapped(column)) notice_system_column(column, value);
    }
    Json messages = Json::array();
    // Many templates refuse a system turn, and none means the same as an empty one.
    if (context && !context->empty()) messages.push_back({{"role", "system"}, {"content", *context}});
    messages.push_back({{"role", "user"}, {"content", question.value_or("")}});
    messages.push_back({{"role", "assistant"}, {"content", *answer}});
    return chat_->encode(messages, nullptr, answer_only_);
  }
  std::string prompt;
  if (context) prompt += *context + " ";
  if (question) prompt += *question + " ";
  check(prompt.size() > 1, ErrorCode::kData, "the prompt is empty");
  return encode_prompt_completion(encoder_, prompt, *answer, answer_only_);
}

}  // namespace automodel::data
