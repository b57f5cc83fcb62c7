#include "core/config/text/node.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/strings.h"

namespace automodel::config {
namespace {

Node of_kind(Node::Kind kind) {
  Node node;
  node.kind = kind;
  return node;
}

}  // namespace

Node Node::null() {
  return {};
}

Node Node::of(bool value) {
  Node node = of_kind(Kind::kBool);
  node.boolean = value;
  node.text = value ? "true" : "false";
  return node;
}

Node Node::of(int64_t value) {
  Node node = of_kind(Kind::kInt);
  node.integer = value;
  node.text = std::to_string(value);
  return node;
}

Node Node::of(double value) {
  Node node = of_kind(Kind::kFloat);
  node.number = value;
  char buffer[32];
  node.text.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  return node;
}

Node Node::of(std::string value) {
  Node node = of_kind(Kind::kString);
  node.text = std::move(value);
  return node;
}

Node Node::of(const char* value) {
  return of(std::string(value));
}

Node Node::list() {
  return of_kind(Kind::kList);
}

Node Node::map() {
  return of_kind(Kind::kMap);
}

const Node* Node::find(std::string_view key) const {
  if (kind != Kind::kMap) return nullptr;
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find(key));
}

const Node* Node::find_path(std::string_view dotted) const {
  const Node* node = this;
  for (const std::string& key : split(dotted, '.')) {
    node = node->find(key);
    if (node == nullptr) return nullptr;
  }
  return node;
}

Node& Node::set(std::string_view key, Node value) {
  for (Entry& entry : entries) {
    if (entry.key != key) continue;
    entry.line = value.line;
    entry.value = std::move(value);
    return entry.value;
  }
  const int at = value.line;
  entries.push_back({std::string(key), Kind::kString, at, std::move(value)});
  return entries.back().value;
}

bool Node::remove(std::string_view key) {
  return std::erase_if(entries, [key](const Entry& entry) { return entry.key == key; }) > 0;
}

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kBool:
      return "a boolean";
    case Node::Kind::kInt:
      return "an integer";
    case Node::Kind::kFloat:
      return "a number";
    case Node::Kind::kString:
      return "text";
    case Node::Kind::kTimestamp:
      return "a date";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return "a value";
}

std::string summary(const Node& node) {
  constexpr size_t kLongest = 60;
  switch (node.kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kString: {
      const std::string line = node.text.substr(0, std::min(node.text.find_first_of("\r\n"), kLongest));
      return '"' + line + (line.size() < node.text.size() ? "...\"" : "\"");
    }
    case Node::Kind::kList:
      return "[" + std::to_string(node.items.size()) + " values]";
    case Node::Kind::kMap:
      return "{" + std::to_string(node.entries.size()) + " keys}";
    default:
      return node.text;
  }
}

}  // namespace automodel::config
