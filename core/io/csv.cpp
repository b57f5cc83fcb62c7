#include "core/io/csv.h"

#include <algorithm>

#include "core/base/error.h"

namespace automodel::io {

std::vector<size_t> index_csv(std::string_view text, const std::string& origin) {
  std::vector<size_t> begins;
  size_t record = 0;
  bool quoted = false;
  size_t opened = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    const bool ends = at == text.size();
    if (!ends && text[at] == '"') {  // a doubled quote closes and opens again: the same to us
      quoted = !quoted;
      if (quoted) opened = at;
      continue;
    }
    if (!ends && (quoted || text[at] != '\n')) continue;
    if (ends && quoted) break;
    const std::string_view line = text.substr(record, at - record);
    if (!line.empty() && line != "\r") begins.push_back(record);
    record = at + 1;
  }
  if (quoted) {
    const std::string_view before = text.substr(0, opened);
    fail(ErrorCode::kData,
         origin,
         ":",
         1 + std::count(before.begin(), before.end(), '\n'),
         ": the double quote opened here is never closed; write a quote inside a quoted cell twice");
  }
  return begins;
}

std::vector<CsvField> parse_csv_record(std::string_view text, size_t begin) {
  std::vector<CsvField> fields;
  size_t at = begin;
  const auto at_end = [&] {
    return at >= text.size() || text[at] == '\n' ||
           (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') ||
           (text[at] == '\r' && at + 1 == text.size());
  };
  for (;;) {
    CsvField field;
    if (at < text.size() && text[at] == '"') {
      field.quoted = true;
      for (++at; at < text.size(); ++at) {
        if (text[at] == '"') {
          if (at + 1 < text.size() && text[at + 1] == '"') {
            ++at;
          } else {
            break;
          }
        }
        field.text += text[at];
      }
      check(at < text.size(), ErrorCode::kData, "a quoted cell is never closed");
      ++at;
      check(at_end() || text[at] == ',',
            ErrorCode::kData,
            "column ",
            fields.size() + 1,
            ": text behind a closing quote; write a quote inside a quoted cell twice");
    } else {
      for (; !at_end() && text[at] != ','; ++at) {
        check(text[at] != '"',
              ErrorCode::kData,
              "column ",
              fields.size() + 1,
              ": a double quote inside an unquoted cell; put the whole cell in quotes");
        field.text += text[at];
      }
    }
    check(field.text.find('\0') == std::string::npos,
          ErrorCode::kData,
          "column ",
          fields.size() + 1,
          ": a NUL byte");
    fields.push_back(std::move(field));
    if (at_end()) return fields;
    ++at;  // the comma
  }
}

}  // namespace automodel::io
