#pragma once

#include <string>
#include <vector>

namespace automodel::config {

/// docs/recipe-reference.md: every section, option, default and `_target_` name, from their declarations.
std::string recipe_reference();

/// Every dotted key that a recipe may hold: for shell completion.
std::vector<std::string> known_keys();

}  // namespace automodel::config
