#include "core/config/text/redact.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/config/text/placeholders.h"

namespace automodel::config {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void hide(Node& node) {
  const bool is_text = node.is_string() && !node.text.empty();
  if (is_text && (!has_placeholder(node.text) || contains(node.text, ","))) node.text = "******";
  for (Node& item : node.items) hide(item);
  for (Node::Entry& entry : node.entries) hide(entry.value);
}

}  // namespace

bool holds_secret(const std::string& key) {
  constexpr std::array<std::string_view, 7> kMarks = {
      "password", "secret", "token", "apikey", "api_key", "authorization", "auth"};
  const std::string name = lower(key);
  if (contains(name, "tokenizer") || contains(name, "of_turn_token")) return false;
  return std::any_of(
      kMarks.begin(), kMarks.end(), [&](std::string_view mark) { return contains(name, mark); });
}

void redact(Node& node) {
  for (Node& item : node.items) redact(item);
  for (Node::Entry& entry : node.entries) holds_secret(entry.key) ? hide(entry.value) : redact(entry.value);
}

}  // namespace automodel::config
