#include "core/io/json.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"

namespace automodel::io {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 256;

/// "origin:line:column" of a byte offset.
std::string place(const std::string& origin, std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return detail::join(origin, ":", line, ":", before.size() - line_begin + 1);
}

/// The library's text without its "[json.exception...] parse error at line 1, column 2: " head.
std::string reason_of(const std::string& what) {
  const size_t head = what.find("column ");
  const size_t colon = head == std::string::npos ? std::string::npos : what.find(": ", head);
  return colon == std::string::npos ? what : what.substr(colon + 2);
}

}  // namespace

json parse_json(std::string_view text, const std::string& origin) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    check(depth < kMaxDepth, ErrorCode::kFormat, origin, ": nested more than ", kMaxDepth, " levels deep");
    if (event == json::parse_event_t::object_start) {
      keys.resize(static_cast<size_t>(depth) + 1);
      keys.back().clear();
    } else if (event == json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      // A key is reported one level below the object that holds it.
      check(keys[static_cast<size_t>(depth) - 1].insert(name).second,
            ErrorCode::kFormat,
            origin,
            ": key \"",
            name,
            "\" stands twice in one object; remove one");
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    const size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    fail(ErrorCode::kFormat, place(origin, text, offset), ": not JSON: ", reason_of(error.what()));
  } catch (const json::exception& error) {
    fail(ErrorCode::kFormat, origin, ": not JSON: ", error.what());
  }
}

std::string with_tagged_infinities(std::string_view text) {
  constexpr std::string_view kInfinity = "Infinity";
  std::string tagged;
  bool in_string = false;
  int64_t backslashes = 0;  // one after another, up to here
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escaped = in_string && backslashes % 2 == 1;
    backslashes = text[i] == '\\' ? backslashes + 1 : 0;
    if (text[i] == '"' && !escaped) in_string = !in_string;
    if (in_string || !text.substr(i).starts_with(kInfinity)) {
      tagged += text[i];
      continue;
    }
    const bool negative = tagged.ends_with('-');
    if (negative) tagged.pop_back();
    tagged += negative ? R"({"__float__": "-Infinity"})" : R"({"__float__": "Infinity"})";
    i += kInfinity.size() - 1;
  }
  return tagged;
}

json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

std::vector<std::vector<int64_t>> whole_number_rows(const json& rows, const std::string& origin) {
  check(rows.is_array() && !rows.empty(), ErrorCode::kData, origin, ": expected a list of lists of numbers");
  std::vector<std::vector<int64_t>> numbers;
  for (const json& row : rows) {
    const size_t index = numbers.size();
    check(row.is_array() && !row.empty(),
          ErrorCode::kData,
          origin,
          ": row ",
          index,
          ": expected a list of numbers, not ",
          row.is_array() ? "an empty one" : row.type_name());
    std::vector<int64_t>& values = numbers.emplace_back();
    for (const json& value : row) {
      const bool fits = value.is_number_unsigned() ? std::in_range<int64_t>(value.get<uint64_t>())
                                                   : value.is_number_integer();
      check(fits,
            ErrorCode::kData,
            origin,
            ": row ",
            index,
            ": ",
            value.dump(),
            " is no whole number of 64 bits");
      values.push_back(value.get<int64_t>());
    }
  }
  return numbers;
}

}  // namespace automodel::io
