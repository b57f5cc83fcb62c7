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
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;  // what it escapes is no quote
  }
  return std::string_view::npos;
}

bool opens(char c) {
  return c == '{' || c == '[';
}

bool closes(char c) {
  return c == '}' || c == ']';
}

/// Behind the value that begins at `at`; npos when it is cut off.
size_t skip_value(std::string_view text, size_t at) {
  if (text[at] == '"') return skip_string(text, at);
  if (!opens(text[at])) return std::min(text.find_first_of(" \t\r\n,]}", at), text.size());
  int64_t depth = 0;
  while (at < text.size()) {
    if (text[at] == '"') {
      at = skip_string(text, at);
      continue;
    }
    if (opens(text[at])) ++depth;
    if (closes(text[at]) && --depth == 0) return at + 1;
    ++at;
  }
  return std::string_view::npos;
}

/// Throws "origin:line: what". The line is counted only here: callers test first.
[[noreturn]] void reject(std::string_view text, size_t at, const std::string& origin, std::string_view what) {
  const std::string_view before = text.substr(0, at);
  fail(ErrorCode::kData, origin, ":", 1 + std::count(before.begin(), before.end(), '\n'), ": ", what);
}

size_t skip_whole_value(std::string_view text, size_t at, const std::string& origin) {
  const size_t end = skip_value(text, at);
  if (end == at) reject(text, at, origin, "expected a JSON value");
  if (end == std::string_view::npos) reject(text, at, origin, "the JSON value that begins here is cut off");
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
  const auto skip_to = [&](size_t from) {
    at = skip_blank(text, from);
    if (at == text.size()) reject(text, opened, origin, "the JSON array that begins here is cut off");
  };
  skip_to(at + 1);
  while (text[at] != ']') {
    begins.push_back(at);
    skip_to(skip_whole_value(text, at, origin));
    if (text[at] == ']') break;
    if (text[at] != ',') reject(text, at, origin, "expected ',' or ']' between rows of the JSON array");
    skip_to(at + 1);
    if (text[at] == ']') reject(text, at, origin, "a comma without a row behind it");
  }
  at = skip_blank(text, at + 1);
  if (at < text.size()) reject(text, at, origin, "something stands behind the JSON array");
  return begins;
}

std::string_view json_value_at(std::string_view text, size_t begin) {
  const size_t end = skip_value(text, begin);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin);
}

size_t json_depth(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = skip_string(text, at);
      continue;
    }
    if (opens(text[at])) deepest = std::max(deepest, ++depth);
    if (closes(text[at]) && depth > 0) --depth;
    ++at;
  }
  return deepest;
}

}  // namespace automodel::io
