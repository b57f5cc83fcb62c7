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

}  // namespace automodel::io
