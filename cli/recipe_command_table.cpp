#include "cli/recipe_command_table.h"

namespace automodel::cli {

const std::vector<RecipeCommandRow>& recipe_command_table() {
  static const std::vector<RecipeCommandRow> kRows = {};
  return kRows;
}

}  // namespace automodel::cli
