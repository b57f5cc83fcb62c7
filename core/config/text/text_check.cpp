#include "core/config/text/text_check.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "core/base/error.h"

namespace automodel::config {
namespace {

/// Length of the valid UTF-8 sequence at the start of `bytes` and its code point; length 0: invalid.
struct Decoded {
  size_t length = 0;
  uint32_t point = 0;
};

Decoded decode(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, first};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return {};
  uint32_t point = first & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    point = (point << 6) | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {};
  return {length, point};
}

bool is_allowed(uint32_t point) {
  if (point == '\t' || point == '\n' || point == '\r' || point == 0x85) return true;
  return point >= 0x20 && point != 0x7F && !(point > 0x7F && point < 0xA0) && point != 0xFFFE &&
         point != 0xFFFF;
}

}  // namespace

void check_text(std::string_view bytes, const std::string& name) {
  const bool is_utf16 = bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF");
  check(!is_utf16, ErrorCode::kConfig, name, ": the file is UTF-16; save it as UTF-8");
  for (size_t at = 0; at < bytes.size();) {
    const Decoded decoded = decode(bytes.substr(at, 4));
    if (decoded.length > 0 && is_allowed(decoded.point)) {
      at += decoded.length;
      continue;
    }
    const auto line = std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
    char shown[16];
    const uint32_t value = decoded.length > 0 ? decoded.point : static_cast<unsigned char>(bytes[at]);
    std::snprintf(shown, sizeof shown, "0x%02X", value);
    fail(ErrorCode::kConfig,
         name,
         ":",
         line,
         decoded.length > 0 ? ": the control character " : ": the bytes are not UTF-8: ",
         shown,
         decoded.length > 0 ? " is not allowed in YAML; is this a text file?" : "; save the file as UTF-8");
  }
}

}  // namespace automodel::config
