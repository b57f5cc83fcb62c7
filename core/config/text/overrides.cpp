#include "core/config/text/overrides.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/text/placeholders.h"
#include "core/config/text/python_literal.h"

namespace automodel::config {
namespace {

/// YAML's words for null, besides Python's that typed_value knows.
bool is_yaml_null(const std::string& text) {
  return text == "null" || text == "Null" || text == "NULL" || text == "~";
}

Node value_of(const std::string& text) {
  if (is_yaml_null(text)) return Node::null();
  return has_placeholder(text) ? Node::of(text) : typed_value(text);
}

}  // namespace

void apply_override(Node& root, const Override& override) {
  const std::vector<std::string> path = split(override.key, '.');
  const bool well_formed = std::none_of(path.begin(), path.end(), [](const std::string& key) {
    return key.empty() || key.find_first_of(" \t[]") != std::string::npos;
  });
  check(
      well_formed,
      ErrorCode::kUsage,
      "--",
      override.key,
      " is not a dotted key; write --section.key value (a list is given whole: --section.key \"['a','b']\")");
  Node* node = &root;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    Node* child = node->find(path[i]);
    if (child != nullptr && child->is_list()) {
      fail(ErrorCode::kUsage,
           "--",
           override.key,
           ": ",
           join({path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i) + 1}, "."),
           " is a list; give the whole list as a value, e.g. \"['a','b']\"");
    }
    if (child == nullptr || !child->is_map()) child = &node->set(path[i], Node::map());
    node = child;
  }
  node->set(path.back(), value_of(override.text));
}

}  // namespace automodel::config
