#pragma once

#include "core/data/chat_encoder.h"
#include "core/data/messages.h"
#include "core/data/processor.h"

namespace automodel::data {

/// Rows with a conversation: `messages` or `conversations`, and perhaps `tools`.
class ChatProcessor : public Processor {
 public:
  ChatProcessor(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer);

  Sample process(const nlohmann::ordered_json& row, int64_t index) const override;

  int64_t pad_token_id() const override { return encoder_.pad_token_id(); }

 private:
  ToolArguments tool_arguments_;
  ChatEncoder encoder_;
};

}  // namespace automodel::data
