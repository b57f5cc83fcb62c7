#include "core/io/python_json.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/utf8.h"

namespace automodel::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 256;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Binary values never come out of JSON text, so one can hold what has no JSON type.
Json as_written(std::string_view text) {
  return Json::binary(std::vector<uint8_t>(text.begin(), text.end()));
}

void append_utf8(std::string& out, uint32_t code) {
  const auto byte = [&out](uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0 | (code >> 6));
  } else if (code < 0x10000) {
    byte(0xe0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3f));
  } else {
    byte(0xf0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3f));
    byte(0x80 | ((code >> 6) & 0x3f));
  }
  byte(0x80 | (code & 0x3f));
}

class Reader {
 public:
  Reader(std::string_view text, JsonFault& fault) : text_(text), fault_(fault) {}

  std::optional<Json> read() {
    if (const auto invalid = find_invalid_utf8(text_)) return fail_at(*invalid, "not UTF-8"), std::nullopt;
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    Json value;
    if (!read_value(value, 0)) return std::nullopt;
    skip_blank();
    if (at_ < text_.size()) return fail_at(at_, "something stands behind the value"), std::nullopt;
    return value;
  }

 private:
  bool fail_at(size_t byte, std::string reason) {
    fault_ = {byte, std::move(reason)};
    return false;
  }

  bool expected(const char* what) {
    return fail_at(at_, std::string("expected ") + what + (at_ < text_.size() ? "" : ", found the end"));
  }

  void skip_blank() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  /// The character at hand; NUL at the end.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool read_value(Json& value, int depth) {
    skip_blank();
    if (peek() == '{' || peek() == '[') {
      if (depth >= kMaxDepth) return fail_at(at_, "nested more than 256 levels deep");
      return peek() == '{' ? read_object(value, depth) : read_array(value, depth);
    }
    if (peek() == '"') return read_string(value);
    if (take_word("null")) return value = nullptr, true;
    if (take_word("true")) return value = true, true;
    if (take_word("false")) return value = false, true;
    if (take_word("NaN")) return value = std::numeric_limits<double>::quiet_NaN(), true;
    if (take_word("Infinity")) return value = std::numeric_limits<double>::infinity(), true;
    if (take_word("-Infinity")) return value = -std::numeric_limits<double>::infinity(), true;
    return read_number(value);
  }

  bool read_array(Json& value, int depth) {
    value = Json::array();
    ++at_;
    skip_blank();
    if (take(']')) return true;
    for (;;) {
      if (!read_value(value.emplace_back(), depth + 1)) return false;
      skip_blank();
      if (take(']')) return true;
      if (!take(',')) return expected("',' or ']'");
    }
  }

  bool read_object(Json& value, int depth) {
    value = Json::object();
    ++at_;
    skip_blank();
    if (take('}')) return true;
    for (;;) {
      skip_blank();
      const size_t begin = at_;
      Json key;
      if (peek() != '"') return expected("a key in double quotes");
      if (!read_string(key)) return false;
      if (!key.is_string()) return fail_at(begin, "a key with half a surrogate pair");
      skip_blank();
      if (!take(':')) return expected("':'");
      if (!read_value(value[key.get_ref<const std::string&>()], depth + 1)) return false;
      skip_blank();
      if (take('}')) return true;
      if (!take(',')) return expected("',' or '}'");
    }
  }

  bool read_number(Json& value) {
    const size_t begin = at_;
    take('-');
    if (!is_digit(peek())) return at_ = begin, expected("a value");
    if (!take('0')) skip_digits();
    bool is_whole = true;
    const auto part = [&](size_t length) {  // a point or exponent counts only with digits behind it
      if (at_ + length >= text_.size() || !is_digit(text_[at_ + length])) return;
      at_ += length;
      skip_digits();
      is_whole = false;
    };
    if (peek() == '.') part(1);
    if (peek() == 'e' || peek() == 'E') {
      const bool has_sign = at_ + 1 < text_.size() && (text_[at_ + 1] == '-' || text_[at_ + 1] == '+');
      part(has_sign ? 2 : 1);
    }
    const std::string_view digits = text_.substr(begin, at_ - begin);
    value = is_whole ? whole_number(digits) : Json(decimal_number(digits));
    return true;
  }

  static double decimal_number(std::string_view digits) {
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    // Infinite or zero: from_chars does not say which.
    if (error == std::errc::result_out_of_range) return std::strtod(std::string(digits).c_str(), nullptr);
    return number;
  }

  void skip_digits() {
    while (is_digit(peek())) ++at_;
  }

  static Json whole_number(std::string_view digits) {
    const char* end = digits.data() + digits.size();
    uint64_t size = 0;
    int64_t number = 0;
    if (std::from_chars(digits.data(), end, size).ec == std::errc() && digits.front() != '-') return size;
    if (std::from_chars(digits.data(), end, number).ec == std::errc()) return number;
    return as_written(digits);
  }

  bool read_string(Json& value) {
    const size_t begin = at_++;
    std::string text;
    bool has_half_pair = false;
    for (;;) {
      const size_t end = std::min(text_.find_first_of("\"\\", at_), text_.size());
      const auto control = std::find_if(text_.begin() + static_cast<int64_t>(at_),
                                        text_.begin() + static_cast<int64_t>(end),
                                        [](char c) { return static_cast<unsigned char>(c) < 0x20; });
      if (control != text_.begin() + static_cast<int64_t>(end))
        return fail_at(static_cast<size_t>(control - text_.begin()), "a control character in a text");
      text += text_.substr(at_, end - at_);
      at_ = end;
      if (at_ == text_.size()) return fail_at(begin, "the text that begins here is never closed");
      if (take('"')) break;
      if (!read_escape(text, has_half_pair)) return false;
    }
    value = has_half_pair ? as_written(text_.substr(begin, at_ - begin)) : Json(std::move(text));
    return true;
  }

  bool read_escape(std::string& text, bool& has_half_pair) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const size_t begin = at_++;
    if (const size_t letter = kLetters.find(peek()); at_ < text_.size() && letter != std::string_view::npos) {
      ++at_;
      text += kMeant[letter];
      return true;
    }
    std::optional<uint32_t> code = take('u') ? read_unit() : std::nullopt;
    if (!code) return fail_at(begin, "an escape that JSON does not have");
    if (*code >= 0xd800 && *code < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
      const size_t behind_first = at_;
      at_ += 2;
      const std::optional<uint32_t> low = read_unit();
      if (low && *low >= 0xdc00 && *low < 0xe000) {
        code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
      } else {
        at_ = behind_first;
      }
    }
    if (*code >= 0xd800 && *code < 0xe000) {
      has_half_pair = true;
    } else {
      append_utf8(text, *code);
    }
    return true;
  }

  /// Four hexadecimal digits.
  std::optional<uint32_t> read_unit() {
    const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
    uint32_t unit = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() < 4 || error != std::errc() || end != digits.data() + 4) return std::nullopt;
    at_ += 4;
    return unit;
  }

  std::string_view text_;
  JsonFault& fault_;
  size_t at_ = 0;
};

}  // namespace

std::optional<Json> read_python_json(std::string_view text, JsonFault& fault) {
  return Reader(text, fault).read();
}

Json parse_python_json(std::string_view text, const std::string& origin) {
  JsonFault fault;
  std::optional<Json> value = read_python_json(text, fault);
  if (!value) {
    const std::string_view before = text.substr(0, fault.byte);
    const size_t line_end = before.rfind('\n');
    const size_t column = before.size() - (line_end == std::string_view::npos ? 0 : line_end + 1) + 1;
    fail(ErrorCode::kFormat,
         origin,
         ":",
         1 + std::count(before.begin(), before.end(), '\n'),
         ":",
         column,
         ": not JSON: ",
         fault.reason);
  }
  return *std::move(value);
}

std::optional<std::string_view> written_json(const Json& value) {
  if (!value.is_binary()) return std::nullopt;
  const Json::binary_t& bytes = value.get_binary();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of a text
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace automodel::io
