#include "core/io/json_values.h"

#include <algorithm>
#include <cstdint>

#include "core/base/error.h"

namespace automodel::io {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

size_t skip_blank(std::string_view text, size_t at) {
  return std::min(text.find_first_not_of(kBlank, at), text.size());
}

/// Behind the string whose opening quote stands at `at`; npos when it is cut off.
size_t skip_string(std::string_view text, size_t at) {
  for (++at;;) {
    at = text.find_first_of("\"\\", at);
    if (at == std::string_view::npos) return at;
    if (text[at] == '"') return at + 1;
    at += 2;  // the backslash and what it escapes
  }
}

/// Behind the value that begins at `at`; npos when it is cut off.
size_t skip_value(std::string_view text, size_t at) {
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] != '{' && text[at] != '[') return std::min(text.find_first_of(" \t\r\n,]}", at), text.size());
  int64_t depth = 0;
  while (at < text.size()) {
    at = text.find_first_of("\"{}[]", at);
    if (at == std::string_view::npos) return at;
    if (text[at] == '"') {
      at = skip_string(text, at);
      continue;
    }
    depth += text[at] == '{' || text[at] == '[' ? 1 : -1;
    ++at;
    if (depth == 0) return at;
  }
  return std::string_view::npos;
}

std::string place(std::string_view text, size_t at, const std::string& origin) {
  const std::string_view before = text.substr(0, at);
  return detail::join(origin, ":", 1 + std::count(before.begin(), before.end(), '\n'));
}

size_t skip_whole_value(std::string_view text, size_t at, const std::string& origin) {
  const size_t end = skip_value(text, at);
  check(end != std::string_view::npos && end > at,
        ErrorCode::kData,
        place(text, at, origin),
        end == at ? ": expected a JSON value" : ": the JSON value that begins here is cut off");
  return end;
}

}  // namespace

std::vector<size_t> index_json_values(std::string_view text, const std::string& origin) {
  std::vector<size_t> begins;
  size_t at = skip_blank(text, 0);
  if (at == text.size()) return begins;
  if (text[at] != '[') {
    while (at < text.size()) {
      begins.push_back(at);
      at = skip_blank(text, skip_whole_value(text, at, origin));
    }
    return begins;
  }
  const size_t opened = at;
  const auto cut_off = [&] {
    check(at < text.size(),
          ErrorCode::kData,
          place(text, opened, origin),
          ": the JSON array that begins here is cut off");
  };
  at = skip_blank(text, at + 1);
  cut_off();
  while (text[at] != ']') {
    begins.push_back(at);
    at = skip_blank(text, skip_whole_value(text, at, origin));
    cut_off();
    if (text[at] == ']') break;
    check(text[at] == ',',
          ErrorCode::kData,
          place(text, at, origin),
          ": expected ',' or ']' between rows of the JSON array");
    at = skip_blank(text, at + 1);
    cut_off();
    check(text[at] != ']', ErrorCode::kData, place(text, at, origin), ": a comma without a row behind it");
  }
  at = skip_blank(text, at + 1);
  check(at == text.size(),
        ErrorCode::kData,
        place(text, at, origin),
        ": something stands behind the JSON array");
  return begins;
}

std::string_view json_value_at(std::string_view text, size_t begin) {
  const size_t end = skip_value(text, begin);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin);
}

size_t json_depth(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  for (size_t at = 0; (at = text.find_first_of("\"{}[]", at)) != std::string_view::npos;) {
    if (text[at] == '"') {
      at = skip_string(text, at);
      if (at == std::string_view::npos) break;
      continue;
    }
    if (text[at] == '{' || text[at] == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (depth > 0) {
      --depth;
    }
    ++at;
  }
  return deepest;
}

}  // namespace automodel::io
