#pragma once

#include <deque>
#include <string>

#include "core/config/recipe/recipe.h"
#include "core/config/schema/schema.h"
#include "core/config/text/node.h"

/// The options of every section of a recipe; each is declared in the file named after it.
namespace automodel::config {

/// What a dataset section says, before all of the recipe is known.
struct DatasetDraft {
  DatasetConfig config;
  TokenizerConfig tokenizer;
};

struct ModelDraft {
  ModelConfig config;
  Node overrides = Node::map();   ///< Hugging Face config fields
  bool config_is_named = false;   ///< by the path of a config.json
  bool config_is_beside = false;  ///< of from_pretrained: in place of the config.json of the weights
  Node inline_config;             ///< a config written in the recipe; null: named by path
};

struct RecipeDraft {
  Recipe recipe;
  ModelDraft model;
  DatasetDraft dataset;
  std::deque<DatasetDraft> validation;  ///< a deque: sections point into it while it grows
};

const Section& recipe_section();  ///< the whole recipe: a RecipeDraft

const Section& step_scheduler_section();  ///< StepSchedulerConfig
const Section& checkpoint_section();      ///< CheckpointConfig
const Section& distributed_section();     ///< DistributedConfig
const Section& dataloader_section();      ///< DataloaderConfig
const Section& lr_scheduler_section();    ///< LrSchedulerConfig
const Section& peft_section();            ///< PeftConfig
const Section& tokenizer_section();       ///< TokenizerConfig

/// These choose by `_target_`. They throw what find_target throws.
const Section& optimizer_section(const Node& map, OptimizerConfig& config);
const Section& loss_section(const Node& map, LossConfig& config);
const Section& dataset_section(const Node& map, DatasetConfig& config);
const Section& model_section(const Node& map, ModelConfig& config);

std::vector<const Section*> optimizer_sections();
std::vector<const Section*> loss_sections();
std::vector<const Section*> dataset_sections();
std::vector<const Section*> model_sections();

/// The `_target_` of a map, expanded; `otherwise` when it has none.
std::string target_of(const Node& map, const std::string& otherwise);

}  // namespace automodel::config
