#include "core/config/text/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/base/error.h"

namespace automodel::config {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsAndLine = "0123456789_";

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && kDigits.find(text[0]) != std::string_view::npos;
}

std::string without_underscores(std::string_view text) {
  std::string kept(text);
  std::erase(kept, '_');
  return kept;
}

template <size_t n>
bool is_one_of(std::string_view text, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_null(std::string_view text) {
  return is_one_of(text, std::array<std::string_view, 5>{"", "~", "null", "Null", "NULL"});
}

std::optional<bool> as_bool(std::string_view text) {
  if (is_one_of(
          text,
          std::array<std::string_view, 9>{"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) {
    return true;
  }
  if (is_one_of(text,
                std::array<std::string_view, 9>{
                    "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) {
    return false;
  }
  return std::nullopt;
}

struct Signed {
  bool negative = false;
  std::string_view body;
};

Signed split_sign(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) return {text[0] == '-', text.substr(1)};
  return {false, text};
}

/// ":30:15" after the first number of a base-60 value: parts of one or two digits below 60.
bool is_sexagesimal_tail(std::string_view tail) {
  while (!tail.empty()) {
    if (tail[0] != ':') return false;
    tail.remove_prefix(1);
    const size_t end = std::min(tail.find(':'), tail.size());
    const std::string_view part = tail.substr(0, end);
    if (part.empty() || part.size() > 2 || !all_of(part, kDigits)) return false;
    if (part.size() == 2 && part[0] > '5') return false;
    tail.remove_prefix(end);
  }
  return true;
}

bool looks_like_int(std::string_view body) {
  if (body.starts_with("0b")) return body.size() > 2 && all_of(body.substr(2), "01_");
  if (body.starts_with("0x")) return body.size() > 2 && all_of(body.substr(2), "0123456789abcdefABCDEF_");
  if (body == "0") return true;
  if (!starts_with_digit(body)) return false;
  if (body[0] == '0') return all_of(body.substr(1), "01234567_");
  const size_t colon = body.find(':');
  if (colon == std::string_view::npos) return all_of(body, kDigitsAndLine);
  return all_of(body.substr(0, colon), kDigitsAndLine) && is_sexagesimal_tail(body.substr(colon));
}

/// Digits in a base, or base-60 groups between colons (base 10 inside each). Nothing beyond 2^63.
std::optional<uint64_t> accumulate(std::string_view digits, int base) {
  constexpr __int128 kLargest = __int128{1} << 63;
  __int128 value = 0;
  __int128 group = 0;
  for (const char c : digits) {
    if (c == ':') {
      value = (value + group) * 60;
      group = 0;
      continue;
    }
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    group = group * base + digit;
    if (group + value > kLargest) return std::nullopt;
  }
  value += group;
  if (value > kLargest) return std::nullopt;
  return static_cast<uint64_t>(value);
}

Node make_int(std::string_view text) {
  const auto [negative, body] = split_sign(text);
  const std::string digits = without_underscores(body);
  std::optional<uint64_t> value;
  if (digits == "0") {
    value = 0;
  } else if (digits.starts_with("0b")) {
    value = accumulate(digits.substr(2), 2);
  } else if (digits.starts_with("0x")) {
    value = accumulate(digits.substr(2), 16);
  } else if (digits.starts_with("0")) {
    value = accumulate(digits.substr(1), 8);
  } else {
    value = accumulate(digits, 10);
  }
  const auto largest = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const bool fits = value.has_value() && *value <= largest + (negative ? 1 : 0);
  check(fits, ErrorCode::kConfig, "the integer ", text, " does not fit in 64 bits");
  Node node = Node::of(static_cast<int64_t>(negative ? 0 - *value : *value));
  node.text = std::string(text);
  return node;
}

bool is_exponent(std::string_view text) {
  return text.size() >= 3 && (text[0] == 'e' || text[0] == 'E') && (text[1] == '+' || text[1] == '-') &&
         all_of(text.substr(2), kDigits);
}

/// [0-9_]* then nothing or a signed exponent.
bool is_fraction(std::string_view text) {
  const size_t end = std::min(text.find_first_not_of(kDigitsAndLine), text.size());
  return end == text.size() || is_exponent(text.substr(end));
}

bool looks_like_float(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  const std::string_view body = split_sign(text).body;
  if (body == ".inf" || body == ".Inf" || body == ".INF") return true;
  // ".5" has no sign in YAML 1.1; "-.5" is text there.
  if (text.starts_with(".")) return starts_with_digit(text.substr(1)) && is_fraction(text.substr(1));
  if (!starts_with_digit(body)) return false;
  const size_t dot = body.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view whole = body.substr(0, dot);
  const size_t colon = whole.find(':');
  if (colon == std::string_view::npos)
    return all_of(whole, kDigitsAndLine) && is_fraction(body.substr(dot + 1));
  return all_of(whole.substr(0, colon), kDigitsAndLine) && is_sexagesimal_tail(whole.substr(colon)) &&
         all_of(body.substr(dot + 1), kDigitsAndLine);
}

double decimal(std::string_view text) {
  double value = 0.0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    return text.find("e-") != std::string_view::npos ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return value;
}

Node make_float(std::string_view text) {
  const auto [negative, body] = split_sign(text);
  std::string digits = without_underscores(body);
  std::transform(digits.begin(), digits.end(), digits.begin(), [](char c) {
    return static_cast<char>(std::tolower(c));
  });
  double value = 0.0;
  if (digits == ".inf") {
    value = std::numeric_limits<double>::infinity();
  } else if (digits == ".nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    std::string_view rest = digits;
    for (size_t colon; (colon = rest.find(':')) != std::string_view::npos; rest.remove_prefix(colon + 1)) {
      value = (value + decimal(rest.substr(0, colon))) * 60.0;
    }
    // from_chars reads neither "+1.0" nor "1.e+5" with a plus inside the exponent wrongly; both are valid
    // here.
    value += decimal(rest);
  }
  Node node = Node::of(negative ? -value : value);
  node.text = std::string(text);
  return node;
}

/// 2024-07-26, or with a time: 2024-7-6T12:00:00.
bool looks_like_timestamp(std::string_view text) {
  if (text.size() < 8 || !all_of(text.substr(0, 4), kDigits) || text[4] != '-') return false;
  const size_t dash = text.find('-', 5);
  if (dash == std::string_view::npos || dash == 5 || dash > 7 || !all_of(text.substr(5, dash - 5), kDigits))
    return false;
  const size_t end = std::min(text.find_first_not_of(kDigits, dash + 1), text.size());
  const size_t day_digits = end - dash - 1;
  if (day_digits < 1 || day_digits > 2) return false;
  if (end == text.size()) return dash == 7 && day_digits == 2;
  std::string_view time = text.substr(end);
  if (time[0] == 'T' || time[0] == 't') {
    time.remove_prefix(1);
  } else {
    const size_t blanks = time.find_first_not_of(" \t");
    if (blanks == 0 || blanks == std::string_view::npos) return false;
    time.remove_prefix(blanks);
  }
  return time.size() >= 7 && all_of(time, "0123456789:.Zz+- \t") && time.find(':') <= 2;
}

Node make_text(std::string_view text) {
  return Node::of(std::string(text));
}

}  // namespace

Node resolve_plain_scalar(std::string_view text) {
  Node node;
  if (is_null(text)) {
    node.text = std::string(text);
    return node;
  }
  if (const std::optional<bool> value = as_bool(text)) {
    node = Node::of(*value);
    node.text = std::string(text);
    return node;
  }
  if (looks_like_int(split_sign(text).body)) return make_int(text);
  if (looks_like_float(text)) return make_float(text);
  if (looks_like_timestamp(text)) {
    node = make_text(text);
    node.kind = Node::Kind::kTimestamp;
    return node;
  }
  check(
      text != "=", ErrorCode::kConfig, "a lone = is YAML's value type, which has no meaning here; quote it");
  return make_text(text);
}

Node resolve_tagged_scalar(std::string_view tag, std::string_view text) {
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  const std::string_view name = tag.starts_with(kPrefix) ? tag.substr(kPrefix.size()) : std::string_view();
  if (name == "str") return make_text(text);
  if (name == "null") return Node::null();
  if (name == "bool" && as_bool(text)) return Node::of(*as_bool(text));
  if (name == "int" && looks_like_int(split_sign(text).body)) return make_int(text);
  if (name == "float" && looks_like_float(text)) return make_float(text);
  if (name == "float" && looks_like_int(split_sign(text).body))
    return Node::of(static_cast<double>(make_int(text).integer));
  const bool known = name == "bool" || name == "int" || name == "float";
  if (known) fail(ErrorCode::kConfig, '"', text, "\" is not a value of type !!", name);
  fail(ErrorCode::kConfig,
       "the YAML tag ",
       tag,
       " is not supported; recipes hold plain values, lists and maps");
}

}  // namespace automodel::config
