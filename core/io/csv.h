#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace automodel::io {

/// One cell of a CSV record.
struct CsvField {
  std::string text;
  bool quoted = false;  ///< tells the empty text "" from a cell with nothing in it
};

/// Byte offsets at which the records of `text` begin (RFC 4180: comma, double quotes, doubled quotes inside,
/// line ends inside quotes; LF or CRLF). Empty lines are not records.
/// Throws Error(kData) "origin:line: ..." for a quote that is never closed.
std::vector<size_t> index_csv(std::string_view text, const std::string& origin);

/// The record that begins at `begin`. Throws Error(kData) without a place, for the caller to add: text behind
/// a closing quote, a quote inside an unquoted cell, a NUL byte.
std::vector<CsvField> parse_csv_record(std::string_view text, size_t begin);

}  // namespace automodel::io
