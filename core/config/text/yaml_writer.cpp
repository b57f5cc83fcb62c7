#include "core/config/text/yaml_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/config/text/yaml_scalar.h"
#include "core/config/text/yaml_scalar_style.h"

namespace automodel::config {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kLongestSimpleKey = 127;

std::string float_text(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::string text = python_float(value);
  const size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
  return text;
}

bool reads_as_text(const std::string& text) {
  if (text.empty() || text == "=" || text == "<<") return false;
  try {
    return resolve_plain_scalar(text).is_string();
  } catch (const std::exception&) {
    return false;
  }
}

class Writer {
 public:
  std::string write(const Node& node) {
    if (node.is_map() && !node.entries.empty()) {
      write_map(node, 0);
    } else if (node.is_list() && !node.items.empty()) {
      write_list(node, 0);
    } else {
      write_inline(node, 2);
      new_line();
    }
    return std::move(out_);
  }

 private:
  /// Entries of a map; the cursor stands where the first key begins.
  void write_map(const Node& map, size_t indent) {
    for (size_t i = 0; i < map.entries.size(); ++i) {
      if (i > 0) pad(indent);
      const Node::Entry& entry = map.entries[i];
      const bool is_simple = write_key(entry, indent);
      write_value(entry.value, indent, is_simple);
    }
  }

  void write_list(const Node& list, size_t indent) {
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) pad(indent);
      put("-");
      write_value(list.items[i], indent, false);
    }
  }

  /// After "key:" or "-", up to and with the line's end.
  /// `after_key`: below a key that stood on its own line's start, where a block begins on the next line.
  void write_value(const Node& node, size_t indent, bool after_key) {
    const bool is_block = (node.is_map() && !node.entries.empty()) || (node.is_list() && !node.items.empty());
    if (!is_block) {
      put(" ");
      write_inline(node, indent + 2);
      new_line();
      return;
    }
    const size_t inner = after_key && node.is_list() ? indent : indent + 2;
    if (after_key) {
      new_line();
      pad(inner);
    } else {
      put(" ");
    }
    node.is_map() ? write_map(node, inner) : write_list(node, inner);
  }

  /// False when the key needed the "? key" form.
  bool write_key(const Node::Entry& entry, size_t indent) {
    const std::u32string points = decode_utf8(entry.key);
    bool is_simple = !points.empty() && points.size() <= kLongestSimpleKey;
    for (const char32_t c : points) is_simple = is_simple && !is_line_break(c);
    if (!is_simple) put("? ");
    if (entry.key_kind != Node::Kind::kString) {
      put(entry.key);
    } else {
      write_text(entry.key, indent + 2, is_simple);
    }
    if (!is_simple) {
      new_line();
      pad(indent);
    }
    put(":");
    return is_simple;
  }

  void write_inline(const Node& node, size_t indent) {
    switch (node.kind) {
      case Node::Kind::kNull:
        return put("null");
      case Node::Kind::kBool:
        return put(node.boolean ? "true" : "false");
      case Node::Kind::kInt:
        return put(std::to_string(node.integer));
      case Node::Kind::kFloat:
        return put(float_text(node.number));
      case Node::Kind::kTimestamp:
        return put(node.text);
      case Node::Kind::kString:
        return write_text(node.text, indent, false);
      case Node::Kind::kList:
        return put("[]");
      case Node::Kind::kMap:
        return put("{}");
    }
  }

  void write_text(const std::string& text, size_t indent, bool is_key) {
    const std::u32string points = decode_utf8(text);
    switch (choose_style(points, reads_as_text(text), is_key)) {
      case ScalarStyle::kPlain:
        return write_folded(points, indent, !is_key);
      case ScalarStyle::kSingleQuoted:
        put("'");
        write_single_quoted(points, indent, !is_key);
        return put("'");
      case ScalarStyle::kDoubleQuoted:
        put("\"");
        write_double_quoted(points, indent, !is_key);
        return put("\"");
    }
  }

  /// Breaks the line at single blanks once it is longer than kWidth.
  void write_folded(const std::u32string& text, size_t indent, bool may_fold) {
    for (size_t at = 0; at < text.size();) {
      size_t end = at;
      if (text[at] == U' ') {
        while (end < text.size() && text[end] == U' ') ++end;
        if (end == at + 1 && column_ > kWidth && may_fold && at != 0 && end != text.size()) {
          fold(indent);
        } else {
          put(std::string(end - at, ' '));
        }
      } else {
        while (end < text.size() && text[end] != U' ') ++end;
        for (; at < end; ++at) put(std::string(1, static_cast<char>(text[at])));
      }
      at = end;
    }
  }

  /// Runs of blanks may fold, runs of breaks are written one longer, a quote is doubled.
  void write_single_quoted(const std::u32string& text, size_t indent, bool may_fold) {
    for (size_t at = 0; at < text.size();) {
      size_t end = at;
      if (text[at] == U' ') {
        while (end < text.size() && text[end] == U' ') ++end;
        if (end == at + 1 && column_ > kWidth && may_fold && at != 0 && end != text.size()) {
          fold(indent);
        } else {
          put(std::string(end - at, ' '));
        }
      } else if (text[at] == U'\n') {
        while (end < text.size() && text[end] == U'\n') ++end;
        for (size_t i = at; i < end + 1; ++i) new_line();
        pad(indent);
      } else {
        end = at + 1;
        put(text[at] == U'\'' ? "''" : std::string(1, static_cast<char>(text[at])));
      }
      at = end;
    }
  }

  /// Escapes; folds with a backslash. The cursor `start` trails `end` as in PyYAML, whose column count this
  /// must meet.
  void write_double_quoted(const std::u32string& text, size_t indent, bool may_fold) {
    size_t start = 0;
    for (size_t end = 0; end <= text.size(); ++end) {
      const bool at_end = end == text.size();
      const bool must_escape =
          !at_end && (text[end] == U'"' || text[end] == U'\\' || text[end] < 0x20 || text[end] > 0x7E);
      if (at_end || must_escape) {
        put_ascii(text, start, end);
        start = end;
        if (!at_end) {
          put(escaped(text[end]));
          start = end + 1;
        }
      }
      const bool may_break =
          end > 0 && end + 1 < text.size() && ((!at_end && text[end] == U' ') || start >= end);
      // After an escape `start` is one past `end`: the sum is signed.
      const auto reached =
          static_cast<int64_t>(column_) + static_cast<int64_t>(end) - static_cast<int64_t>(start);
      if (!may_break || !may_fold || reached <= static_cast<int64_t>(kWidth)) continue;
      if (start < end) {
        put_ascii(text, start, end);
        start = end;
      }
      put("\\");
      fold(indent);
      if (text[start] == U' ') put("\\");
    }
  }

  static std::string escaped(char32_t c) {
    constexpr std::u32string_view kFrom = U"\x07\x08\x09\x0A\x0B\x0C\x0D\x1B\"\\\x85\xA0\u2028\u2029";
    constexpr std::string_view kTo = "abtnvfre\"\\N_LP";
    if (c == 0) return "\\0";
    if (const size_t which = kFrom.find(c); which != std::u32string_view::npos) return {'\\', kTo[which]};
    char buffer[16];
    const char* format = c <= 0xFF ? "\\x%02X" : c <= 0xFFFF ? "\\u%04X" : "\\U%08X";
    std::snprintf(buffer, sizeof buffer, format, static_cast<unsigned>(c));
    return buffer;
  }

  void put_ascii(const std::u32string& text, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) put(std::string(1, static_cast<char>(text[i])));
  }

  void put(std::string_view text) {
    out_ += text;
    column_ += text.size();
  }

  void new_line() {
    out_ += '\n';
    column_ = 0;
  }

  void pad(size_t indent) { put(std::string(indent - std::min(indent, column_), ' ')); }

  void fold(size_t indent) {
    new_line();
    pad(indent);
  }

  std::string out_;
  size_t column_ = 0;
};

}  // namespace

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const std::string_view text(
      buffer,
      static_cast<size_t>(
          std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr - buffer));
  const size_t e = text.find('e');
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  const bool scientific = exponent < -4 || exponent >= 16;
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  std::string written(
      buffer, static_cast<size_t>(std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr - buffer));
  if (!scientific && written.find('.') == std::string::npos) written += ".0";
  return written;
}

std::string to_yaml(const Node& node) {
  return Writer().write(node);
}

}  // namespace automodel::config
