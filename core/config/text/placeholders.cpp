#include "core/config/text/placeholders.h"

#include <cstdlib>
#include <optional>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/text/python_literal.h"

namespace automodel::config {
namespace {

bool is_name_start(char c) {
  return c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool is_name(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

struct Placeholder {
  size_t begin = 0;
  size_t end = 0;  ///< one past the last character
  std::string name;
  std::optional<std::string> fallback;
};

/// ${...} from `begin`; nothing when the braces hold no name ("${{ x }}" of another template language).
std::optional<Placeholder> braced(std::string_view text, size_t begin) {
  const size_t close = text.find('}', begin);
  if (close == std::string_view::npos) return std::nullopt;
  std::string_view inside = text.substr(begin + 2, close - begin - 2);
  constexpr std::string_view kOmegaConf = "oc.env:";
  if (inside.starts_with(kOmegaConf)) inside.remove_prefix(kOmegaConf.size());
  const size_t comma = inside.find(',');
  const std::string_view name = trim(inside.substr(0, comma));
  if (name.empty() || !is_name_start(name[0])) return std::nullopt;
  for (const char c : name) {
    if (!is_name(c) && c != '.') return std::nullopt;
  }
  Placeholder found{begin, close + 1, std::string(name), std::nullopt};
  if (comma != std::string_view::npos) found.fallback = std::string(inside.substr(comma + 1));
  return found;
}

std::optional<Placeholder> next_placeholder(std::string_view text, size_t from) {
  for (size_t at = text.find('$', from); at != std::string_view::npos; at = text.find('$', at + 1)) {
    if (at + 1 >= text.size()) break;
    if (text[at + 1] == '{') {
      if (std::optional<Placeholder> found = braced(text, at)) return found;
    } else if (is_name_start(text[at + 1])) {
      size_t end = at + 1;
      while (end < text.size() && is_name(text[end])) ++end;
      return Placeholder{at, end, std::string(text.substr(at + 1, end - at - 1)), std::nullopt};
    }
  }
  return std::nullopt;
}

std::string value_of(const Placeholder& placeholder) {
  if (const char* value = std::getenv(placeholder.name.c_str())) return value;
  check(placeholder.fallback.has_value(),
        ErrorCode::kConfig,
        "the environment variable ",
        placeholder.name,
        " is not set; export it, or write ${",
        placeholder.name,
        ",default}");
  return *placeholder.fallback;
}

}  // namespace

bool has_placeholder(std::string_view text) {
  return next_placeholder(text, 0).has_value();
}

std::string expand_placeholders(std::string_view text) {
  std::string expanded;
  size_t from = 0;
  while (const std::optional<Placeholder> found = next_placeholder(text, from)) {
    expanded += text.substr(from, found->begin - from);
    expanded += value_of(*found);
    from = found->end;
  }
  expanded += text.substr(from);
  return expanded;
}

Node expanded_value(const Node& node) {
  Node value = node;
  if (node.is_string() && has_placeholder(node.text)) {
    value = typed_value(expand_placeholders(node.text));
    value.line = node.line;
  }
  for (Node& item : value.items) item = expanded_value(item);
  for (Node::Entry& entry : value.entries) entry.value = expanded_value(entry.value);
  return value;
}

}  // namespace automodel::config
