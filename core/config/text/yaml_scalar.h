#pragma once

#include <string_view>

#include "core/config/text/node.h"

namespace automodel::config {

/// What an unquoted YAML scalar means under YAML 1.1 as PyYAML resolves it: yes/no/on/off are booleans, 017
/// is octal, 10:30 is base 60, 1e-5 (no dot) and 0o17 are text. Throws Error(kConfig) for an integer beyond
/// 64 bits and for the "=" value type.
Node resolve_plain_scalar(std::string_view text);

/// Reads a scalar with an explicit tag: `!!int "7"`. `tag` is the full form "tag:yaml.org,2002:int".
/// Throws Error(kConfig) for a tag that safe loading refuses.
Node resolve_tagged_scalar(std::string_view tag, std::string_view text);

}  // namespace automodel::config
