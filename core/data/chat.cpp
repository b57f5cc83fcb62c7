#include "core/data/chat.h"

#include <nlohmann/json.hpp>

#include "core/data/messages.h"

namespace automodel::data {

ChatProcessor::ChatProcessor(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer)
    : encoder_(dataset, tokenizer) {}

Sample ChatProcessor::process(const nlohmann::ordered_json& row, int64_t /*index*/) const {
  return encoder_.encode(read_messages(row), read_tools(row));
}

}  // namespace automodel::data
