#pragma once

#include <string>

namespace automodel::config {

enum class ScalarStyle { kPlain, kSingleQuoted, kDoubleQuoted };

/// The style PyYAML chooses for a string outside of flow collections, not allowing non-ASCII characters
/// unescaped. `reads_as_text`: unquoted, YAML 1.1 would read it as text and not as a number, a date, ...
ScalarStyle choose_style(const std::u32string& text, bool reads_as_text, bool is_key);

std::u32string decode_utf8(const std::string& text);

/// YAML's line breaks: LF, NEL, LS, PS.
bool is_line_break(char32_t c);

}  // namespace automodel::config
