#include "core/train/model_setup.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace automodel::train {
namespace {

constexpr const char* kConfig =
    R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 50, "hidden_size": 16,
  "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
  "hidden_act": "silu", "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
  "tie_word_embeddings": false, "initializer_range": 0.02})";

config::Recipe recipe_of(const std::string& dtype, int64_t micro_batches) {
  config::Recipe recipe;
  recipe.device = "cpu";
  recipe.model.source = config::ModelSource::kConfig;
  recipe.model.inline_config = kConfig;
  recipe.model.torch_dtype = dtype;
  recipe.step_scheduler.local_batch_size = 4;
  recipe.step_scheduler.global_batch_size = 4 * micro_batches;
  return recipe;
}

/// Types of the gradients by unit.
std::map<std::string, at::ScalarType> gradient_types(const config::Recipe& recipe) {
  const LoadedModel loaded = load_model(recipe);
  choose_grad_dtypes(loaded.decoder, recipe);
  std::map<std::string, at::ScalarType> types;
  for (const auto& unit : loaded.decoder.units) types[unit->name()] = unit->options().grad_dtype;
  return types;
}

TEST(ChooseGradDtypes, OnlyOfBlocksThatRoundThemAnywayAndWriteThemOnce) {
  std::map<std::string, at::ScalarType> wide, narrow;
  for (const auto& [name, type] : gradient_types(recipe_of("float32", 1))) {
    wide[name] = at::kFloat;
    narrow[name] = name.starts_with("layers.") ? at::kBFloat16 : at::kFloat;
  }
  EXPECT_EQ(wide.size(), 4u) << "embedding, two blocks, head";
  EXPECT_EQ(gradient_types(recipe_of("bfloat16", 1)), narrow);
  EXPECT_EQ(gradient_types(recipe_of("bfloat16", 2)), wide) << "gradients of micro-batches are added";
  EXPECT_EQ(gradient_types(recipe_of("float32", 1)), wide);
  config::Recipe other = recipe_of("bfloat16", 1);
  other.optimizer.master_weights = true;
  EXPECT_EQ(gradient_types(other), wide);
  other = recipe_of("bfloat16", 1);
  other.optimizer.bf16_stochastic_round = true;
  EXPECT_EQ(gradient_types(other), wide);
  other = recipe_of("bfloat16", 1);
  other.optimizer.kind = config::OptimizerConfig::Kind::kSgd;
  EXPECT_EQ(gradient_types(other), wide);
}

}  // namespace
}  // namespace automodel::train
