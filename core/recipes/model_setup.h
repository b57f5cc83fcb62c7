#pragma once

#include <filesystem>
#include <string>

#include "core/config/recipe.h"
#include "core/models/decoder.h"

namespace automodel::recipes {

/// A model ready to train, and what a checkpoint of it copies.
struct LoadedModel {
  models::Decoder decoder;
  DType weights_dtype = DType::kFloat32;  ///< what checkpoints store: the reference's storage type
  std::filesystem::path folder;           ///< where it came from; empty for a config written in the recipe
  std::string config_json;                ///< its config.json with the recipe's overrides applied
};

/// Builds the recipe's model and reads or draws its weights. The home of the weights is float32 when the
/// recipe stores float32 or asks for master weights, else the stored type; compute follows
/// distributed.mp_policy.param_dtype, else model.torch_dtype. from_config without torch_dtype is bfloat16, as
/// in the reference.
LoadedModel load_model(const config::Recipe& recipe);

}  // namespace automodel::recipes
