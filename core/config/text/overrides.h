#pragma once

#include <string>
#include <vector>

#include "core/config/text/node.h"

namespace automodel::config {

/// One `--dotted.key value` of the command line.
struct Override {
  std::string key;
  std::string text;  ///< as typed; "true" when the word stood alone
};

/// Sets one key: missing maps on the path are made, a scalar on it is replaced by a map. The value is null
/// for YAML's null and ~, a Python literal where it is one (typed_value), else text. List elements cannot be
/// set by index. Throws Error(kUsage) for a malformed key.
void apply_override(Node& root, const Override& override);

}  // namespace automodel::config
