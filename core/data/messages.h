#pragma once

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// In which form tool calls reach the template (dataset.tool_arguments).
enum class ToolArguments {
  kAsIs,     ///< as the row gives them: an object stays an object, a text a text
  kJsonText  ///< AutoModel's: arguments that are not text become their JSON text, calls without id or type
             ///< get call_0, call_1, ... and "function"
};

/// The messages of a chat row as templates expect them: from `messages` (OpenAI) or `conversations`
/// (ShareGPT), with the system prompt of a column of its own before them. Content becomes text (the text
/// parts of a list joined by blanks; null is empty); everything else stays as the row gives it. Throws
/// Error(kData) naming the field.
nlohmann::ordered_json read_messages(const nlohmann::ordered_json& row,
                                     ToolArguments form = ToolArguments::kAsIs);

/// The row's `tools`: a list, or the JSON text of one; null when there are none. Throws Error(kData).
nlohmann::ordered_json read_tools(const nlohmann::ordered_json& row);

}  // namespace automodel::data
