#pragma once

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// The messages of a chat row as templates expect them: from `messages` (OpenAI) or `conversations`
/// (ShareGPT). Content becomes text (the text parts of a list joined by blanks; null is empty). Tool calls
/// without id or type get call_0, call_1, ... and "function"; arguments that are not text become their JSON
/// text; a null reasoning_content becomes empty. Throws Error(kData) naming the field.
nlohmann::ordered_json read_messages(const nlohmann::ordered_json& row);

/// The row's `tools`: a list, or the JSON text of one; null when there are none. Throws Error(kData).
nlohmann::ordered_json read_tools(const nlohmann::ordered_json& row);

}  // namespace automodel::data
