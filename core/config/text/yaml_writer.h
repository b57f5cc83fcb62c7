#pragma once

#include <string>

#include "core/config/text/node.h"

namespace automodel::config {

/// YAML text letter for letter as PyYAML's safe_dump(sort_keys=False, default_flow_style=False) writes it:
/// block style, lists not indented below their key, long plain text folded at 80 columns. This is the form of
/// config.yaml in a checkpoint.
std::string to_yaml(const Node& node);

/// Python's repr of a float: 1e-05, 0.001, 1e+16, 3.0.
std::string python_float(double value);

}  // namespace automodel::config
