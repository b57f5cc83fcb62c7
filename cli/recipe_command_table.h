#pragma once

#include <string>
#include <vector>

#include "cli/recipe_arguments.h"

namespace automodel::cli {

/// A command that takes a recipe: `words -c recipe.yaml [options] [--dotted.key value]...`.
/// Its line is read by parse_recipe_arguments, because any dotted key may stand on it.
struct RecipeCommandRow {
  std::vector<std::string> words;  ///< {"config", "check"}
  std::string domain;              ///< words that may follow: "llm"; "" none
  const char* description;
  const char* footer;                 ///< examples
  std::vector<RecipeOption> options;  ///< its own, besides -c and the overrides
  int (*run)(const RecipeArguments& arguments) = nullptr;
};

const std::vector<RecipeCommandRow>& recipe_command_table();

/// `automodel recipe.yaml ...`: the form without a command word.
const RecipeCommandRow& bare_recipe_row();

}  // namespace automodel::cli
