#include "core/config/text/node_json.h"

#include <nlohmann/json.hpp>

namespace automodel::config {
namespace {

nlohmann::ordered_json convert(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return nullptr;
    case Node::Kind::kBool:
      return node.boolean;
    case Node::Kind::kInt:
      return node.integer;
    case Node::Kind::kFloat:
      return node.number;
    case Node::Kind::kString:
    case Node::Kind::kTimestamp:
      return node.text;
    case Node::Kind::kList: {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const Node& item : node.items) list.push_back(convert(item));
      return list;
    }
    case Node::Kind::kMap: {
      nlohmann::ordered_json map = nlohmann::ordered_json::object();
      for (const Node::Entry& entry : node.entries) map[entry.key] = convert(entry.value);
      return map;
    }
  }
  return nullptr;
}

}  // namespace

std::string to_json(const Node& node) {
  return convert(node).dump();
}

}  // namespace automodel::config
