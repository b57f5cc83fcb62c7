#include "core/data/row_json.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/io/json_values.h"

namespace automodel::data {
namespace {

constexpr size_t kMaxRowBytes = size_t{64} << 20;
constexpr size_t kMaxDepth = 256;
constexpr size_t kMaxReasonLength = 160;

/// What the JSON library says, short and printable: it repeats the text it stumbled over, whatever that
/// holds.
std::string reason_of(const std::string& what) {
  const size_t column = what.find("column ");
  const size_t colon = column == std::string::npos ? std::string::npos : what.find(": ", column);
  std::string reason = colon == std::string::npos ? what : what.substr(colon + 2);
  if (reason.size() > kMaxReasonLength) reason = reason.substr(0, kMaxReasonLength) + "...";
  std::replace_if(reason.begin(), reason.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return reason;
}

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
  nlohmann::ordered_json row;
  try {
    row = nlohmann::ordered_json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    fail(ErrorCode::kData, "not JSON at byte ", error.byte, " of the row: ", reason_of(error.what()));
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kData, "not JSON: ", reason_of(error.what()));
  }
  check(row.is_object(),
        ErrorCode::kData,
        "the row is ",
        kind_of(row),
        "; expected an object {\"column\": value, ...}");
  return row;
}

bool is_row(std::string_view text) {
  return text.size() <= kMaxRowBytes && text.find('{') == text.find_first_not_of(" \t\r\n") &&
         io::json_depth(text) <= kMaxDepth && nlohmann::json::accept(text.begin(), text.end());
}

std::string_view kind_of(const nlohmann::ordered_json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "text";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "true or false";
  return "null";
}

}  // namespace automodel::data
