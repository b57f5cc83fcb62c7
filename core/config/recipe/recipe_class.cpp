#include "core/config/recipe/recipe_class.h"

#include <algorithm>
#include <string>

#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

constexpr const char* kVision = "vision-language models are not implemented yet";
constexpr const char* kRetrieval = "retrieval models are not implemented yet";
constexpr const char* kDiffusion = "diffusion models are not implemented yet";
constexpr const char* kDistillation = "knowledge distillation is not implemented yet";
constexpr const char* kClassification = "sequence classification is not implemented yet";
constexpr const char* kDiffusionLanguage = "diffusion language models are not implemented yet";
constexpr const char* kMultimodal = "multimodal generation is not implemented yet";
constexpr const char* kDrafting = "training of speculative decoding heads is not implemented yet";

std::string full_name(const RecipeClass& recipe) {
  return std::string(recipe.module) + "." + std::string(recipe.name);
}

}  // namespace

// One row a line.
// clang-format off
const std::vector<RecipeClass>& recipe_classes() {
  static const std::vector<RecipeClass> kClasses = {
      {"TrainFinetuneRecipeForNextTokenPrediction", "nemo_automodel.recipes.llm.train_ft", RecipeKind::kFinetune},
      {"KnowledgeDistillationRecipeForNextTokenPrediction", "nemo_automodel.recipes.llm.kd", std::nullopt, kDistillation},
      {"BenchmarkingRecipeForNextTokenPrediction", "nemo_automodel.recipes.llm.benchmark", RecipeKind::kBenchmark},
      {"TrainFinetuneRecipeForSequenceClassification", "nemo_automodel.recipes.llm.train_seq_cls", std::nullopt, kClassification},
      {"FinetuneRecipeForVLM", "nemo_automodel.recipes.vlm.finetune", std::nullopt, kVision, /*own_sections=*/true},
      {"KnowledgeDistillationRecipeForVLM", "nemo_automodel.recipes.vlm.kd", std::nullopt, kVision, /*own_sections=*/true},
      {"TrainBiEncoderRecipe", "", std::nullopt, kRetrieval, /*own_sections=*/true},
      {"TrainCrossEncoderRecipe", "", std::nullopt, kRetrieval, /*own_sections=*/true},
      {"EmbeddingDistillRecipe", "", std::nullopt, kRetrieval, /*own_sections=*/true},
      {"MineHardNegativesRecipe", "", std::nullopt, kRetrieval, /*own_sections=*/true},
      {"DiffusionLMSFTRecipe", "nemo_automodel.recipes.dllm.train_ft", std::nullopt, kDiffusionLanguage, /*own_sections=*/true},
      {"DiffusionGemmaSFTRecipe", "nemo_automodel.recipes.dllm.train_ft", std::nullopt, kDiffusionLanguage, /*own_sections=*/true},
      {"TrainDiffusionRecipe", "nemo_automodel.recipes.diffusion.train", std::nullopt, kDiffusion, /*own_sections=*/true},
      {"TrainEagle3Recipe", "", std::nullopt, kDrafting, /*own_sections=*/true},
      {"TrainDSparkRecipe", "", std::nullopt, kDrafting, /*own_sections=*/true},
      {"FinetuneRecipeForMultimodal", "", std::nullopt, kMultimodal, /*own_sections=*/true},
      {"PretrainRecipeForMultimodal", "", std::nullopt, kMultimodal, /*own_sections=*/true},
  };
  return kClasses;
}

// clang-format on

const RecipeClass* find_recipe_class(std::string_view name) {
  const auto found = std::ranges::find_if(recipe_classes(), [&](const RecipeClass& recipe) {
    return name == recipe.name || (!recipe.module.empty() && name == full_name(recipe));
  });
  return found == recipe_classes().end() ? nullptr : &*found;
}

std::vector<Target> recipe_targets() {
  static const std::vector<std::string> kFullNames = [] {
    std::vector<std::string> names;
    for (const RecipeClass& recipe : recipe_classes()) names.push_back(full_name(recipe));
    return names;
  }();
  std::vector<Target> targets;
  for (size_t i = 0; i < recipe_classes().size(); ++i) {
    const RecipeClass& recipe = recipe_classes()[i];
    targets.push_back({recipe.name, TargetRole::kRecipe, "", recipe.missing});
    if (!recipe.module.empty()) targets.push_back({kFullNames[i], TargetRole::kRecipe, "", recipe.missing});
  }
  return targets;
}

}  // namespace automodel::config
