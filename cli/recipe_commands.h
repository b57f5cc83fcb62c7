#pragma once

#include "cli/recipe_arguments.h"

/// What the rows of recipe_command_table.cpp run. Each returns the exit status.
namespace automodel::cli {

/// `finetune`, `pretrain`: the same; the recipe says which.
int run_train(const RecipeArguments& arguments);

/// `benchmark`: the benchmark recipe, whatever the file names.
int run_benchmark(const RecipeArguments& arguments);

/// `automodel recipe.yaml`: the recipe must name its class.
int run_recipe_file(const RecipeArguments& arguments);

/// `data show`: rows of the recipe's sets.
int run_data_show(const RecipeArguments& arguments);

int run_config_show(const RecipeArguments& arguments);
int run_config_check(const RecipeArguments& arguments);

}  // namespace automodel::cli
