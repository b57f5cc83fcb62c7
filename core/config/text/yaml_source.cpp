#include "core/config/text/yaml_source.h"

#include <algorithm>

namespace automodel::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Length of the quoted text at the start with both quotes; npos: never closed.
size_t quoted_length(std::string_view text) {
  const char quote = text[0];
  for (size_t i = 1; i < text.size(); ++i) {
    const bool is_escape = quote == '"' ? text[i] == '\\' : text.substr(i).starts_with("''");
    if (is_escape) {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

bool begins_quoted(std::string_view text) {
  return text.starts_with('"') || text.starts_with('\'');
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

}  // namespace

YamlSource::YamlSource(std::string_view text) : text_(text) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  starts_.push_back(0);
  for (size_t at = 0; (at = text_.find('\n', at)) != std::string_view::npos;) starts_.push_back(++at);
}

std::string_view YamlSource::from(int line, int column) const {
  if (line < 0 || static_cast<size_t>(line) >= starts_.size()) return {};
  return text_.substr(
      std::min(text_.size(), starts_[static_cast<size_t>(line)] + static_cast<size_t>(std::max(column, 0))));
}

std::string_view YamlSource::line(int number) const {
  const std::string_view rest = from(number, 0);
  return rest.substr(0, rest.find('\n'));
}

bool YamlSource::is_indented_by_tab(int number) const {
  const std::string_view shown = line(number);
  return shown.substr(0, shown.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

bool YamlSource::is_quote_closed(int line, int column) const {
  const std::string_view rest = from(line, column);
  return !begins_quoted(rest) || quoted_length(rest) != std::string_view::npos;
}

bool YamlSource::has_null_word(int line, int column) const {
  const std::string_view rest = from(line, column);
  return rest.starts_with('~') || rest.starts_with("null") || rest.starts_with("Null") ||
         rest.starts_with("NULL");
}

bool YamlSource::has_colon_after_key(int line_number, int column) const {
  const std::string_view before = line(line_number).substr(0, static_cast<size_t>(std::max(column, 0)));
  const size_t last = before.find_last_not_of(" \t");
  if (last != std::string_view::npos && before[last] == '?') return true;
  std::string_view rest = from(line_number, column);
  if (begins_quoted(rest)) rest.remove_prefix(std::min(quoted_length(rest), rest.size()));
  rest = rest.substr(0, rest.find('\n'));
  for (size_t at = 0; (at = rest.find(':', at)) != std::string_view::npos; ++at) {
    if (at + 1 == rest.size() || is_blank(rest[at + 1])) return true;
  }
  return false;
}

}  // namespace automodel::config
