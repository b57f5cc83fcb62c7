#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/data/chat_encoder.h"
#include "core/data/processor.h"

namespace automodel::data {

/// Rows with an answer and a question or context (or both) under any column names.
/// Plain: "context question " + answer. With use_hf_chat_template, when the tokenizer has one: a system turn
/// with the context unless it is missing or empty, a user turn with the question, an assistant turn with the
/// answer.
class ColumnMappedProcessor : public Processor {
 public:
  ColumnMappedProcessor(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer);

  Sample process(const nlohmann::ordered_json& row, int64_t index) const override;

  bool replaces_unlabelled_rows() const override { return true; }

  int64_t pad_token_id() const override { return encoder_.pad_token_id(); }

 private:
  /// The text of a mapped column; nullopt when it is not mapped, missing or null.
  std::optional<std::string> text_of(const nlohmann::ordered_json& row, const std::string& name) const;

  bool is_mapped(const std::string& column) const;

  std::map<std::string, std::string> columns_;
  bool answer_only_;
  TextEncoder encoder_;
  std::optional<ChatEncoder> chat_;
};

}  // namespace automodel::data
