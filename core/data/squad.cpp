#include "core/data/squad.h"

#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/prompt_completion.h"
#include "core/data/python_text.h"
#include "core/data/row_json.h"
#include "core/data/row_kinds.h"

namespace automodel::data {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& row, const char* column) {
  const auto value = row.find(column);
  if (value == row.end()) {
    fail(ErrorCode::kData,
         "\"",
         column,
         "\" is missing; SQuAD rows have context, question, answers; ",
         describe_row(row));
  }
  check(value->is_string(), ErrorCode::kData, "\"", column, "\" is ", kind_of(*value), "; expected text");
  return value->get<std::string>();
}

/// The first answer, stripped; nullopt when the question has none (SQuAD 2).
std::optional<std::string> first_answer(const Json& row) {
  const auto answers = row.find("answers");
  check(answers != row.end() && answers->is_object() && answers->contains("text") &&
            (*answers)["text"].is_array(),
        ErrorCode::kData,
        "\"answers\" is missing or not {\"text\": [...]}");
  const Json& texts = (*answers)["text"];
  if (texts.empty()) return std::nullopt;
  check(texts[0].is_string(),
        ErrorCode::kData,
        "\"answers.text[0]\" is ",
        kind_of(texts[0]),
        "; expected text");
  return std::string(python_strip(texts[0].get_ref<const std::string&>()));
}

}  // namespace

SquadProcessor::SquadProcessor(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer)
    : encoder_(dataset, tokenizer) {
  if (tokenizer.chat_template() != nullptr || !dataset.chat_template.empty())
    chat_.emplace(dataset, tokenizer);
}

Sample SquadProcessor::process(const Json& row, int64_t /*index*/) const {
  const std::string prompt =
      "Context: " + text_of(row, "context") + " Question: " + text_of(row, "question") + " Answer: ";
  const std::optional<std::string> answer = first_answer(row);
  if (!chat_) return encode_prompt_completion(encoder_, prompt, answer.value_or(""), true);
  check(answer.has_value(), ErrorCode::kData, "\"answers.text\" is empty; the chat form needs an answer");
  const Json messages = {{{"role", "user"}, {"content", prompt}},
                         {{"role", "assistant"}, {"content", *answer}}};
  return chat_->encode(messages, nullptr);
}

}  // namespace automodel::data
