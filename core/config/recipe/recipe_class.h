#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace automodel::config {

/// What a recipe does; core/recipes/recipe_table.cpp has the function of each.
enum class RecipeKind { kFinetune, kBenchmark };

/// A class that a recipe's `recipe` key may name.
struct RecipeClass {
  std::string_view name;
  std::string_view module;         ///< the Python module it lies in; empty: only the bare name is known
  std::optional<RecipeKind> kind;  ///< nullopt: not implemented
  std::string_view missing{};      ///< then the sentence a user reads
  bool own_sections = false;       ///< of another domain: the keys of its recipes are not ours to check
};

const std::vector<RecipeClass>& recipe_classes();

/// The row that `name` names, by itself or behind its module; null for none.
const RecipeClass* find_recipe_class(std::string_view name);

}  // namespace automodel::config
