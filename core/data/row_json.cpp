#include "core/data/row_json.h"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/io/json_values.h"
#include "core/io/python_json.h"

namespace automodel::data {
namespace {

constexpr size_t kMaxRowBytes = size_t{64} << 20;
constexpr size_t kMaxDepth = 256;

void check_bounds(std::string_view text) {
  check(text.size() <= kMaxRowBytes,
        ErrorCode::kData,
        "the row takes ",
        human_bytes(static_cast<int64_t>(text.size())),
        "; at most ",
        human_bytes(kMaxRowBytes),
        " are read; split it");
  check(io::json_depth(text) <= kMaxDepth,
        ErrorCode::kData,
        "JSON nested more than ",
        kMaxDepth,
        " levels deep");
}

}  // namespace

nlohmann::ordered_json parse_row(std::string_view text) {
  check_bounds(text);
  io::JsonFault fault;
  std::optional<nlohmann::ordered_json> read = io::read_python_json(text, fault);
  check(
      read.has_value(), ErrorCode::kData, "not JSON at byte ", fault.byte + 1, " of the row: ", fault.reason);
  nlohmann::ordered_json& row = *read;
  check(row.is_object(),
        ErrorCode::kData,
        "the row is ",
        kind_of(row),
        "; expected an object {\"column\": value, ...}");
  return std::move(row);
}

bool is_row(std::string_view text) {
  io::JsonFault fault;
  if (text.size() > kMaxRowBytes || io::json_depth(text) > kMaxDepth) return false;
  const auto row = io::read_python_json(text, fault);
  return row && row->is_object();
}

std::string_view kind_of(const nlohmann::ordered_json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "text";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "true or false";
  if (const auto written = io::written_json(value))
    return written->front() == '"' ? "text with half a surrogate pair" : "a number";
  return "null";
}

}  // namespace automodel::data
