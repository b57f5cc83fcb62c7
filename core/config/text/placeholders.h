#pragma once

#include <string>
#include <string_view>

#include "core/config/text/node.h"

namespace automodel::config {

/// Whether the text holds ${...} or $NAME.
bool has_placeholder(std::string_view text);

/// Replaces ${VAR}, ${VAR,default}, ${oc.env:VAR}, ${oc.env:VAR,default} and $VAR by the environment's
/// values. The default starts after the first comma. Throws Error(kConfig) naming a variable that is unset
/// without default.
std::string expand_placeholders(std::string_view text);

/// The value that counts of a node: a string with placeholders is expanded and typed, everything else is
/// itself. Lists and maps are expanded below.
Node expanded_value(const Node& node);

}  // namespace automodel::config
