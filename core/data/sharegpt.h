#pragma once

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// ShareGPT's turns ({"from", "value"}) as messages ({"role", "content"}); a turn's other fields stay. A
/// function_call (LLaMA-Factory: its value is the JSON text of {"name", "arguments"} or of a list of them)
/// becomes an assistant's turn with tool_calls; observation, tool and their like become "tool". Throws
/// Error(kData) naming the turn.
nlohmann::ordered_json from_conversations(const nlohmann::ordered_json& turns);

}  // namespace automodel::data
