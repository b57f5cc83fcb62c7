#pragma once

#include <string>

#include "core/config/text/node.h"

namespace automodel::config {

/// One line of JSON in the node's order of keys. A date is its text.
std::string to_json(const Node& node);

}  // namespace automodel::config
