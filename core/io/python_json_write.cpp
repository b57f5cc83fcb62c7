#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/python_json.h"

namespace automodel::io {
namespace {

using Json = nlohmann::ordered_json;

void append_escape(std::string& out, uint32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(unit >> shift) & 0xf];
}

/// Decodes the code point at `at` of well-formed UTF-8 and moves behind it.
uint32_t next_code_point(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  uint32_t code = more == 0 ? lead : lead & (0x3fU >> more);
  for (int i = 0; i < more && at < text.size(); ++i) {
    code = (code << 6) | (static_cast<unsigned char>(text[at++]) & 0x3fU);
  }
  return code;
}

void append_string(std::string& out, std::string_view text, bool ensure_ascii) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const uint32_t code = next_code_point(text, at);
    constexpr std::string_view kShort = "\"\\\n\r\t\f\b";
    constexpr std::string_view kLetters = "\"\\nrtfb";
    const size_t letter = code < 0x80 ? kShort.find(static_cast<char>(code)) : std::string_view::npos;
    if (letter != std::string_view::npos) {
      out += '\\';
      out += kLetters[letter];
    } else if (code >= 0x20 && (code <= 0x7f || !ensure_ascii)) {  // json.dumps leaves DEL as it is
      out += text.substr(begin, at - begin);
    } else if (code < 0x10000) {
      append_escape(out, code);
    } else {
      append_escape(out, 0xd800 + ((code - 0x10000) >> 10));
      append_escape(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
  }
  out += '"';
}

std::string json_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return python_float(value);
}

void append(std::string& out, const Json& value, bool ensure_ascii) {
  if (const auto written = written_json(value)) {
    out += *written;
  } else if (value.is_string()) {
    append_string(out, value.get_ref<const std::string&>(), ensure_ascii);
  } else if (value.is_array()) {
    out += '[';
    for (size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ", ";
      append(out, value[i], ensure_ascii);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      if (!first) out += ", ";
      first = false;
      append_string(out, key, ensure_ascii);
      out += ": ";
      append(out, item, ensure_ascii);
    }
    out += '}';
  } else if (value.is_number_float()) {
    out += json_float(value.get<double>());
  } else {
    out += value.dump();  // null, true, false and integers are alike
  }
}

}  // namespace

std::string write_python_json(const Json& value, bool ensure_ascii) {
  std::string out;
  append(out, value, ensure_ascii);
  return out;
}

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer{};
  const double size = std::abs(value);
  const bool fixed = value == 0 || (size >= 1e-4 && size < 1e16);
  const auto [end, error] = std::to_chars(buffer.data(),
                                          buffer.data() + buffer.size(),
                                          value,
                                          fixed ? std::chars_format::fixed : std::chars_format::scientific);
  ensure(error == std::errc(), "a number does not fit");
  std::string text(buffer.data(), end);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

}  // namespace automodel::io
