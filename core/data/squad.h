#pragma once

#include <optional>

#include "core/data/chat_encoder.h"
#include "core/data/processor.h"

namespace automodel::data {

/// Rows of SQuAD: context, question, answers.text (the first counts, stripped). The prompt is
/// "Context: ... Question: ... Answer: "; a user and an assistant turn when the tokenizer has a chat
/// template.
class SquadProcessor : public Processor {
 public:
  SquadProcessor(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer);

  Sample process(const nlohmann::ordered_json& row, int64_t index) const override;

  int64_t pad_token_id() const override { return encoder_.pad_token_id(); }

 private:
  TextEncoder encoder_;
  std::optional<ChatEncoder> chat_;
};

}  // namespace automodel::data
