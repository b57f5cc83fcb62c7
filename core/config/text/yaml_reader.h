#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/config/text/node.h"

namespace automodel::config {

/// Reads one YAML document of UTF-8 text with the meaning PyYAML's safe loader gives it: YAML 1.1 scalars,
/// anchors, merge keys ("<<"; merged keys come first, the map's own win). Unlike PyYAML, a key that stands
/// twice in a map is an error that names both lines. `name` is the file's name in messages.
///
/// Throws Error(kConfig) with file and line for malformed text, more than 32 MiB, more than one document,
/// nesting deeper than 100, aliases that expand to more than a million values, NUL or other control
/// characters, and invalid UTF-8.
Node parse_yaml(std::string_view text, const std::string& name);

/// Reads a file. Throws Error(kConfig) when it cannot be read.
Node read_yaml_file(const std::filesystem::path& path);

}  // namespace automodel::config
