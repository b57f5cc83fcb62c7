#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// Puts the system prompt that a row has in a column of its own (system, system_prompt, system_message,
/// system_instruction, in any case and with or without the underscore) before its messages, unless they begin
/// with one. Warns once of a column that looks like a system prompt or like weights of turns and is not read.
void add_system_column(const nlohmann::ordered_json& row, nlohmann::ordered_json& messages);

/// Warns once of a column that looks like a system prompt, for sets that read none but those that are mapped.
void notice_system_column(const std::string& column, const nlohmann::ordered_json& value);

}  // namespace automodel::data
