#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace automodel::io {

/// Parses JSON strictly: no duplicate key in an object, at most 256 levels deep, valid UTF-8, nothing after
/// the value. `origin` names the text in messages. Throws Error(kFormat) "origin:line:column: ...".
nlohmann::json parse_json(std::string_view text, const std::string& origin);

/// The same for a file. Throws Error(kIo) when it cannot be read.
nlohmann::json read_json(const std::filesystem::path& path);

/// JSON text in which a bare Infinity or -Infinity, as Python's json.dumps writes them, is the object that
/// transformers 5 writes: {"__float__": "Infinity"}. Other text stays as it is.
std::string with_tagged_infinities(std::string_view text);

}  // namespace automodel::io
