#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

/// JSON as Python's json module reads and writes it: data sets and chats, whose numbers reach a model's text.
namespace automodel::io {

/// Where a text is not JSON, and why.
struct JsonFault {
  size_t byte = 0;  ///< offset
  std::string reason;
};

/// As json.loads: keys keep their order and of two equal ones the last value counts; NaN, Infinity and
/// -Infinity are numbers; a decimal number beyond the range of a double is infinite. What the JSON type
/// cannot hold stays as it is written: see `written_json`. nullopt, with `fault` set, for a text that is not
/// JSON, not UTF-8, or nested more than 256 levels deep.
std::optional<nlohmann::ordered_json> read_python_json(std::string_view text, JsonFault& fault);

/// Parses as above, but throws Error(kFormat) "origin:line:column: not JSON: ...".
nlohmann::ordered_json parse_python_json(std::string_view text, const std::string& origin);

/// A value that is held as it was written: a whole number beyond 64 bits, or a text (in its quotes) with half
/// a surrogate pair, which UTF-8 cannot write. nullopt for every other value.
std::optional<std::string_view> written_json(const nlohmann::ordered_json& value);

/// As json.dumps: ", " and ": " between; with `ensure_ascii` everything beyond ASCII is escaped.
std::string write_python_json(const nlohmann::ordered_json& value, bool ensure_ascii = true);

/// repr(float): the shortest digits that give the number back; an exponent below 1e-4 and from 1e16 on.
std::string python_float(double value);

}  // namespace automodel::io
