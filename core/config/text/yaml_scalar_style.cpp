#include "core/config/text/yaml_scalar_style.h"

#include <string_view>

namespace automodel::config {
namespace {

bool is_one_of(char32_t c, std::u32string_view set) {
  return set.find(c) != std::u32string_view::npos;
}

bool is_blank(char32_t c) {
  return c == 0 || is_line_break(c) || is_one_of(c, U" \t\r");
}

/// What about a text forbids a style.
struct Traits {
  bool indicators = false;  ///< would be read as YAML syntax unquoted
  bool line_breaks = false;
  bool specials = false;  ///< characters that need an escape
  bool blank_at_an_end = false;
  bool break_then_space = false;
  bool space_then_break = false;
};

bool is_indicator_at(const std::u32string& text, size_t at) {
  const char32_t c = text[at];
  const bool blank_follows = at + 1 >= text.size() || is_blank(text[at + 1]);
  if (c == U':' && blank_follows) return true;
  if (at == 0) {
    if (is_one_of(c, U"#,[]{}&*!|>'\"%@`")) return true;
    return (c == U'?' || c == U'-') && blank_follows;
  }
  return c == U'#' && is_blank(text[at - 1]);
}

Traits inspect(const std::u32string& text) {
  Traits traits;
  traits.indicators = text.starts_with(U"---") || text.starts_with(U"...");
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    traits.indicators |= is_indicator_at(text, i);
    traits.line_breaks |= is_line_break(c);
    traits.specials |= c != U'\n' && (c < 0x20 || c > 0x7E);
    const bool is_edge = i == 0 || i + 1 == text.size();
    traits.blank_at_an_end |= is_edge && (c == U' ' || is_line_break(c));
    if (i == 0) continue;
    traits.break_then_space |= c == U' ' && is_line_break(text[i - 1]);
    traits.space_then_break |= is_line_break(c) && text[i - 1] == U' ';
  }
  return traits;
}

}  // namespace

bool is_line_break(char32_t c) {
  return c == U'\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

std::u32string decode_utf8(const std::string& text) {
  std::u32string points;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? first : first & (0xFF >> (length + 1));
    for (size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    }
    points += point;
    i += length;
  }
  return points;
}

ScalarStyle choose_style(const std::u32string& text, bool reads_as_text, bool is_key) {
  const Traits traits = inspect(text);
  const bool plain = reads_as_text && !traits.indicators && !traits.line_breaks && !traits.specials &&
                     !traits.blank_at_an_end && !text.empty();
  if (plain) return ScalarStyle::kPlain;
  const bool single = !traits.break_then_space && !traits.space_then_break && !traits.specials &&
                      !(is_key && traits.line_breaks);
  return single ? ScalarStyle::kSingleQuoted : ScalarStyle::kDoubleQuoted;
}

}  // namespace automodel::config
