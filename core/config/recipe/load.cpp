#include "core/config/recipe/load.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/config/recipe/recipe_class.h"
#include "core/config/recipe/recipe_rules.h"
#include "core/config/recipe/recipe_texts.h"
#include "core/config/recipe/sections.h"
#include "core/config/schema/section_walk.h"
#include "core/config/text/python_literal.h"
#include "core/config/text/yaml_reader.h"
#include "core/config/text/yaml_writer.h"

namespace automodel::config {
namespace {

/// A known recipe whose sections are another domain's: its keys mean nothing here. Null for others.
const RecipeClass* recipe_of_another_domain(const Node& root) {
  const Node* recipe = root.find("recipe");
  if (recipe != nullptr && recipe->is_map()) recipe = recipe->find("_target_");
  if (recipe == nullptr || !recipe->is_string()) return nullptr;
  const RecipeClass* found = find_recipe_class(recipe->text);
  return found && found->own_sections ? found : nullptr;
}

[[noreturn]] void fail_refused(const Report& report) {
  const bool all_unsupported =
      std::all_of(report.refused.begin(), report.refused.end(), [](const Refusal& refusal) {
        return refusal.why == Why::kNotSupported;
      });
  std::string text;
  for (const Refusal& refusal : report.refused) text += (text.empty() ? "" : "\n       ") + refusal.message;
  throw Error(all_unsupported ? ErrorCode::kUnsupported : ErrorCode::kConfig, text);
}

}  // namespace

Document load_document(const std::filesystem::path& path, const std::vector<Override>& overrides) {
  Document document{path.string(), read_yaml_file(path)};
  check(document.root.is_map(),
        ErrorCode::kConfig,
        document.file,
        ": a recipe is a map of sections (model:, dataset:, ...), not ",
        kind_name(document.root.kind));
  for (const Override& override : overrides) apply_override(document.root, override);
  type_strings(document.root);
  keep_texts(document.root);
  return document;
}

CheckedRecipe check_recipe(const Document& document) {
  CheckedRecipe checked;
  SectionWalk walk(checked.report, document.file, recipe_section());
  if (const RecipeClass* foreign = recipe_of_another_domain(document.root)) {
    const int line = document.root.find("recipe")->line;
    walk.refuse("recipe",
                line,
                Why::kNotSupported,
                std::string(foreign->missing) + " (" + std::string(foreign->name) + ")");
    return checked;
  }
  RecipeDraft draft;
  walk.read(recipe_section(), document.root, "", &draft);
  finish_recipe(draft, document.root, walk);
  checked.recipe = std::move(draft.recipe);
  if (checked.report.accepted()) checked.recipe.resolved_yaml = resolved_yaml(document);
  return checked;
}

Recipe require_recipe(const Document& document) {
  CheckedRecipe checked = check_recipe(document);
  if (!checked.report.accepted()) fail_refused(checked.report);
  return std::move(checked.recipe);
}

Recipe load_recipe(const std::filesystem::path& path, const std::vector<Override>& overrides) {
  return require_recipe(load_document(path, overrides));
}

std::string resolved_yaml(const Document& document) {
  if (document.root.find("wandb") == nullptr) return to_yaml(document.root);
  Node root = document.root;
  Node& wandb = *root.find("wandb");
  const Node* enable = wandb.find("enable");
  const bool is_off = enable != nullptr && enable->kind == Node::Kind::kBool && !enable->boolean;
  is_off ? root.remove("wandb") : wandb.remove("enable");
  return to_yaml(root);
}

}  // namespace automodel::config
