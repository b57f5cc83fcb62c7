#pragma once

#include <string>
#include <string_view>

namespace automodel::config {

/// Throws Error(kConfig) with file and line when the bytes are not the text YAML allows: invalid UTF-8,
/// UTF-16, NUL or another control character.
void check_text(std::string_view bytes, const std::string& name);

}  // namespace automodel::config
