#include "core/data/chat.h"

#include <nlohmann/json.hpp>

namespace automodel::data {

ChatProcessor::ChatProcessor(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer)
    : tool_arguments_(std::get<config::ChatSet>(dataset.kind).tool_arguments == "json_text"
                          ? ToolArguments::kJsonText
                          : ToolArguments::kAsIs),
      encoder_(dataset, tokenizer) {}

Sample ChatProcessor::process(const nlohmann::ordered_json& row, int64_t /*index*/) const {
  return encoder_.encode(read_messages(row, tool_arguments_), read_tools(row));
}

}  // namespace automodel::data
