// What runs each kind of recipe.
#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/recipes/entry.h"
#include "core/recipes/finetune.h"

namespace automodel::recipes {
namespace {

/// Returns the exit status.
using RecipeFunction = int (*)(const config::Recipe& recipe, store::RunRecorder& run);
using Row = std::pair<config::RecipeKind, RecipeFunction>;

/// One row per kind; core/config/recipe/recipe_class.cpp has the names that a user writes.
constexpr std::array<Row, 2> kRecipes = {{
    {config::RecipeKind::kFinetune, finetune},
    {config::RecipeKind::kBenchmark, finetune},  // the same steps, timed
}};

}  // namespace

void run_recipe(RecipeRun& run) {
  const auto row = std::ranges::find(kRecipes, run.recipe.kind, &Row::first);
  ensure(row != kRecipes.end(), run.recipe.recipe, " has no function");
  run.status = row->second(run.recipe, run.recorder);
}

}  // namespace automodel::recipes
