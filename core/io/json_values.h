#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace automodel::io {

/// Byte offsets at which the rows of JSON text begin, without parsing them: the elements of the array that
/// the text is, or the values that stand one after the other (JSON lines, one object over many lines, several
/// objects). Only brackets and quotes are looked at. Throws Error(kData) "origin:line: ..." when an array or
/// a value is cut off or something stands between elements.
std::vector<size_t> index_json_values(std::string_view text, const std::string& origin);

/// The value that begins at `begin`, up to its closing bracket or quote, or the next comma, bracket or blank.
/// Empty when it is cut off.
std::string_view json_value_at(std::string_view text, size_t begin);

/// The deepest nesting of arrays and objects.
size_t json_depth(std::string_view text);

}  // namespace automodel::io
