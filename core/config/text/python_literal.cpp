#include "core/config/text/python_literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "core/config/text/placeholders.h"

namespace automodel::config {
namespace {

constexpr int kDeepest = 50;

bool is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

void append_utf8(std::string& out, uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

/// Recursive descent over one expression; every function returns nothing when the text is no literal.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  std::optional<Node> read() {
    std::optional<Node> first = value(0);
    if (!first) return std::nullopt;
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == ',') {
      Node tuple = Node::list();
      tuple.items.push_back(std::move(*first));
      if (!rest_of_sequence(tuple, '\0', 0)) return std::nullopt;
      first = std::move(tuple);
    }
    skip_blanks();
    return at_ == text_.size() ? first : std::nullopt;
  }

 private:
  void skip_blanks() { skip_inside(0); }

  /// Blanks and comments; inside brackets line breaks too.
  void skip_inside(int depth) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool is_break = c == '\n' || c == '\r';
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || (depth > 0 && is_break)) {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool take(char c, int depth) {
    skip_inside(depth);
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<Node> value(int depth) {
    if (depth > kDeepest) return std::nullopt;
    skip_inside(depth);
    if (at_ >= text_.size()) return std::nullopt;
    const char c = text_[at_];
    if (c == '[') return bracketed(']', depth);
    if (c == '(') return parenthesised(depth);
    if (c == '{') return dict(depth);
    if (c == '+' || c == '-') return signed_number();
    if ((c >= '0' && c <= '9') || c == '.') return number(false);
    return string_or_name(depth);
  }

  /// After the first item and before a comma: the other items up to `close` ('\0': the end of the text).
  bool rest_of_sequence(Node& list, char close, int depth) {
    while (take(',', depth)) {
      skip_inside(depth);
      if (close == '\0' ? at_ == text_.size() : at_ < text_.size() && text_[at_] == close) break;
      std::optional<Node> item = value(depth);
      if (!item) return false;
      list.items.push_back(std::move(*item));
    }
    return close == '\0' || take(close, depth);
  }

  std::optional<Node> bracketed(char close, int depth) {
    ++at_;
    Node list = Node::list();
    if (take(close, depth + 1)) return list;
    std::optional<Node> first = value(depth + 1);
    if (!first) return std::nullopt;
    list.items.push_back(std::move(*first));
    if (!rest_of_sequence(list, close, depth + 1)) return std::nullopt;
    return list;
  }

  std::optional<Node> parenthesised(int depth) {
    ++at_;
    Node tuple = Node::list();
    if (take(')', depth + 1)) return tuple;
    std::optional<Node> first = value(depth + 1);
    if (!first) return std::nullopt;
    if (take(')', depth + 1)) return first;
    tuple.items.push_back(std::move(*first));
    if (!rest_of_sequence(tuple, ')', depth + 1)) return std::nullopt;
    return tuple;
  }

  std::optional<Node> dict(int depth) {
    ++at_;
    Node map = Node::map();
    while (!take('}', depth + 1)) {
      std::optional<Node> key = value(depth + 1);
      if (!key || key->is_list() || key->is_map() || !take(':', depth + 1)) return std::nullopt;
      std::optional<Node> item = value(depth + 1);
      if (!item) return std::nullopt;
      const std::string name = key->is_null() ? "null" : key->text;
      map.set(name, std::move(*item));
      for (Node::Entry& entry : map.entries) {
        if (entry.key == name) entry.key_kind = key->kind;
      }
      if (take(',', depth + 1)) continue;
      if (!take('}', depth + 1)) return std::nullopt;
      break;
    }
    return map;
  }

  std::optional<Node> signed_number() {
    const bool negative = text_[at_++] == '-';
    skip_blanks();
    return number(negative);
  }

  std::optional<Node> number(bool negative) {
    const size_t begin = at_;
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '.' || is_exponent_sign(begin))) ++at_;
    const std::string_view token = text_.substr(begin, at_ - begin);
    std::optional<Node> node = integer_token(token, negative);
    if (!node) node = float_token(token, negative);
    if (node) node->text = (negative ? "-" : "") + std::string(token);
    return node;
  }

  bool is_exponent_sign(size_t begin) const {
    if (at_ == begin || (text_[at_] != '+' && text_[at_] != '-')) return false;
    const bool hexadecimal = text_.substr(begin).starts_with("0x") || text_.substr(begin).starts_with("0X");
    return !hexadecimal && (text_[at_ - 1] | 0x20) == 'e';
  }

  /// Removes single underscores between digits; nothing when one stands elsewhere.
  static std::optional<std::string> plain_digits(std::string_view token, std::string_view digits_of_base) {
    std::string digits;
    for (size_t i = 0; i < token.size(); ++i) {
      const auto is_digit = [&](size_t at) {
        return at < token.size() && digits_of_base.find(token[at]) != std::string_view::npos;
      };
      if (token[i] != '_') {
        digits += token[i];
      } else if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) {
        return std::nullopt;
      }
    }
    return digits;
  }

  static std::optional<Node> integer_token(std::string_view token, bool negative) {
    int base = 10;
    if (token.size() > 2 && token[0] == '0') {
      const char mark = static_cast<char>(token[1] | 0x20);
      base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
      if (base != 10) token.remove_prefix(token[2] == '_' ? 3 : 2);
    }
    const std::optional<std::string> digits = plain_digits(token, "0123456789abcdefABCDEF");
    if (!digits || digits->empty()) return std::nullopt;
    const bool leading_zero = base == 10 && digits->size() > 1 && (*digits)[0] == '0';
    if (leading_zero && digits->find_first_not_of('0') != std::string::npos) return std::nullopt;
    uint64_t magnitude = 0;
    const auto [end, failure] =
        std::from_chars(digits->data(), digits->data() + digits->size(), magnitude, base);
    if (failure != std::errc() || end != digits->data() + digits->size()) return std::nullopt;
    const auto largest = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (magnitude > largest + (negative ? 1 : 0)) return std::nullopt;
    return Node::of(static_cast<int64_t>(negative ? 0 - magnitude : magnitude));
  }

  static std::optional<Node> float_token(std::string_view token, bool negative) {
    const std::optional<std::string> digits = plain_digits(token, "0123456789");
    if (!digits || digits->find_first_not_of("0123456789.eE+-") != std::string::npos) return std::nullopt;
    const size_t dot = digits->find('.');
    const size_t exponent = digits->find_first_of("eE");
    if (dot == std::string::npos && exponent == std::string::npos) return std::nullopt;
    if (digits->find_first_of("0123456789") > std::min(exponent, digits->size())) return std::nullopt;
    // from_chars takes no "1e+5"-style plus before C++23's fix in all libraries: drop it.
    std::string plain = *digits;
    if (exponent != std::string::npos && exponent + 1 < plain.size() && plain[exponent + 1] == '+')
      plain.erase(exponent + 1, 1);
    double value = 0.0;
    const auto [end, failure] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    if (end != plain.data() + plain.size()) return std::nullopt;
    if (failure == std::errc::result_out_of_range) {
      value = plain.find("e-") != std::string::npos || plain.find("E-") != std::string::npos
                  ? 0.0
                  : std::numeric_limits<double>::infinity();
    } else if (failure != std::errc()) {
      return std::nullopt;
    }
    return Node::of(negative ? -value : value);
  }

  std::optional<Node> string_or_name(int depth) {
    std::string joined;
    int pieces = 0;
    while (true) {
      skip_inside(depth);
      const std::optional<std::string> piece = quoted_string();
      if (!piece) break;
      joined += *piece;
      ++pieces;
    }
    if (failed_string_) return std::nullopt;
    if (pieces > 0) return Node::of(std::move(joined));
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name == "None") return Node::null();
    if (name == "True") return Node::of(true);
    if (name == "False") return Node::of(false);
    return std::nullopt;
  }

  /// One quoted piece at the cursor, with an r or u prefix allowed; nothing when none starts here.
  std::optional<std::string> quoted_string() {
    size_t quote_at = at_;
    bool raw = false;
    if (quote_at < text_.size() && (text_[quote_at] | 0x20) == 'r') raw = true;
    if (quote_at < text_.size() && ((text_[quote_at] | 0x20) == 'r' || (text_[quote_at] | 0x20) == 'u'))
      ++quote_at;
    if (quote_at >= text_.size() || (text_[quote_at] != '\'' && text_[quote_at] != '"')) return std::nullopt;
    const std::string quote(1, text_[quote_at]);
    const bool triple = text_.substr(quote_at).starts_with(quote + quote + quote);
    const std::string close = triple ? quote + quote + quote : quote;
    at_ = quote_at + close.size();
    std::string value;
    while (at_ < text_.size() && !text_.substr(at_).starts_with(close)) {
      if (text_[at_] == '\n' && !triple) break;
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        if (raw) {
          value += text_.substr(at_, 2);
          at_ += 2;
        } else if (!escape(value)) {
          failed_string_ = true;
          return std::nullopt;
        }
        continue;
      }
      value += text_[at_++];
    }
    if (!text_.substr(at_).starts_with(close)) {
      failed_string_ = true;
      return std::nullopt;
    }
    at_ += close.size();
    return value;
  }

  bool escape(std::string& out) {
    const char c = text_[at_ + 1];
    at_ += 2;
    if (c == '\n') return true;
    constexpr std::string_view kNames = "\\'\"abfnrtv";
    constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";
    if (const size_t which = kNames.find(c); which != std::string_view::npos) {
      out += kValues[which];
      return true;
    }
    if (c == 'x' || c == 'u' || c == 'U') return code_point(out, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16);
    if (c >= '0' && c <= '7') {
      --at_;
      size_t length = 1;
      while (length < 3 && at_ + length < text_.size() && text_[at_ + length] >= '0' &&
             text_[at_ + length] <= '7')
        ++length;
      return code_point(out, length, 8);
    }
    if (c == 'N') return false;
    out += '\\';
    out += c;
    return true;
  }

  bool code_point(std::string& out, size_t length, int base) {
    if (at_ + length > text_.size()) return false;
    uint32_t point = 0;
    const auto [end, failure] = std::from_chars(text_.data() + at_, text_.data() + at_ + length, point, base);
    if (failure != std::errc() || end != text_.data() + at_ + length || point > 0x10FFFF) return false;
    if (point >= 0xD800 && point <= 0xDFFF) return false;
    append_utf8(out, point);
    at_ += length;
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool failed_string_ = false;
};

}  // namespace

std::optional<Node> read_python_literal(std::string_view text) {
  const size_t blanks = text.find_first_not_of(" \t");
  if (blanks == std::string_view::npos) return std::nullopt;
  const size_t begin = text.find_first_not_of("\n", blanks);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  const size_t end = text.find_last_not_of(" \t\r\n");
  return LiteralReader(text.substr(0, end + 1)).read();
}

Node typed_value(std::string_view text) {
  constexpr size_t kLongestTried = 1000;
  Node node;
  if (text == "none" || text == "None") {
    node = Node::null();
  } else if (text == "true" || text == "True") {
    node = Node::of(true);
  } else if (text == "false" || text == "False") {
    node = Node::of(false);
  } else if (std::optional<Node> literal =
                 text.size() <= kLongestTried ? read_python_literal(text) : std::nullopt) {
    node = std::move(*literal);
  } else {
    return Node::of(std::string(text));
  }
  if (!node.is_string()) node.text = std::string(text);
  return node;
}

void type_strings(Node& node) {
  if (node.is_string() && !has_placeholder(node.text)) {
    const int line = node.line;
    node = typed_value(node.text);
    node.line = line;
  }
  for (Node& item : node.items) type_strings(item);
  for (Node::Entry& entry : node.entries) type_strings(entry.value);
}

}  // namespace automodel::config
