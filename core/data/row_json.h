#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// Parses one row of a JSON source as Python's json.loads does (io/python_json.h): an object, its keys in
/// order. Throws Error(kData), without a place, for anything else: not JSON, not UTF-8, above 64 MiB, more
/// than 256 deep.
nlohmann::ordered_json parse_row(std::string_view text);

/// Whether `parse_row` would succeed.
bool is_row(std::string_view text);

/// "an object", "a list", "text", "a number", "true or false", "null": for messages.
std::string_view kind_of(const nlohmann::ordered_json& value);

}  // namespace automodel::data
