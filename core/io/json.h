#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace automodel::io {

/// Parses JSON strictly: no duplicate key in an object, at most 256 levels deep, valid UTF-8, nothing after
/// the value. `origin` names the text in messages. Throws Error(kFormat) "origin:line:column: ...".
nlohmann::json parse_json(std::string_view text, const std::string& origin);

/// Parses a file. Throws Error(kIo) when it cannot be read.
nlohmann::json read_json(const std::filesystem::path& path);

/// Rows of whole numbers, such as token ids: [[1, 2, 3], [4]]. Throws Error(kData) naming the first element
/// that is none, and for an empty list or row.
std::vector<std::vector<int64_t>> whole_number_rows(const nlohmann::json& rows, const std::string& origin);

/// JSON text in which a bare Infinity or -Infinity, as Python's json.dumps writes them, is the object that
/// transformers 5 writes: {"__float__": "Infinity"}. Other text stays as it is.
std::string with_tagged_infinities(std::string_view text);

}  // namespace automodel::io
