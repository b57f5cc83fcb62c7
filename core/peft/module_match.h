#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/recipe/recipe.h"

namespace automodel::peft {

/// Whether the pattern of a recipe stands for a module, as in the reference, which turns it into an anchored
/// regular expression: '*' is any text, a dot is any one character, and ".*" inside a pattern is any text
/// too, the dot included ("layers.1.*q_proj" also means layer 12). Anything else is itself.
bool matches_module(std::string_view pattern, std::string_view module);

/// Those of `linears` that get an adapter, in their order: all of them, those that a target names, or those
/// that no exclusion names. Throws Error(kConfig) when none does; a pattern that matches nothing is warned
/// about.
std::vector<std::string> select_modules(const config::PeftConfig& config,
                                        const std::vector<std::string>& linears);

}  // namespace automodel::peft
