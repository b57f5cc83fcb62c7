#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace automodel::data {

/// Python's `text.strip()`: without the Unicode white space at both ends. `text` is UTF-8.
std::string_view python_strip(std::string_view text);

/// Python's `str(value)` for a JSON scalar: None, True, 1, 0.5, 1e+16, or the text itself.
std::string python_str(const nlohmann::ordered_json& value);

/// Python's `json.dumps(value)`: ", " and ": " between, everything beyond ASCII escaped.
std::string python_json_dumps(const nlohmann::ordered_json& value);

}  // namespace automodel::data
