#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/run_kind.h"
#include "core/config/recipe/recipe.h"
#include "core/models/decoder.h"
#include "core/peft/adapter_files.h"

namespace automodel::train {

/// A model ready to train, and what a checkpoint of it copies.
struct LoadedModel {
  models::Decoder decoder;
  DType weights_dtype = DType::kFloat32;      ///< what checkpoints store: the reference's storage type
  std::optional<peft::AdapterSpec> adapters;  ///< with peft: only these are trained and stored
  std::filesystem::path folder;  ///< where it came from; empty for a config written in the recipe
  std::string config_json;       ///< its config.json with the recipe's overrides applied
};

/// The kind of checkpoint that the recipe writes; reads the model's config.json alone.
checkpoint::RunKind kind_of_run(const config::Recipe& recipe);

/// Builds the recipe's model and reads or draws its weights. Main weights are float32 when the
/// recipe stores float32 or asks for master weights, else the stored type; compute follows
/// distributed.mp_policy.param_dtype, else model.torch_dtype. from_config without torch_dtype is bfloat16, as
/// in the reference.
///
/// With peft the base is frozen and kept in the type that is computed in, and that is bfloat16 under the
/// fsdp2 strategy unless mp_policy says otherwise, whatever torch_dtype says, as in the reference. Adapters
/// are stored in peft.lora_dtype, else in the smaller of the weights' type and the computation's.
/// Throws Error(kUnsupported) unless it predicts next tokens.
LoadedModel load_model(const config::Recipe& recipe);

/// Loads for any task: the one that is asked for, or that the model's class names.
LoadedModel load_model(const config::Recipe& recipe, const arch::TaskRequest& request);

/// The type to compute in for "auto": the checkpoint's, or float32 where that is float16, which no operation
/// computes in; any other answer as it is asked for. `model` is its folder or config.json, `ignored_keys`
/// those that KeyRules takes the error of back. Throws
/// Error(kUsage) for float16.
std::string compute_dtype_of(const std::string& asked,
                             const std::filesystem::path& model,
                             const std::vector<std::string>& ignored_keys = {});

/// Keeps the gradients of blocks in bfloat16 where no update changes by it: on bfloat16 weights, with an
/// optimizer that rounds float32 gradients to bfloat16 before it uses them
/// (optim::Algorithm::rounds_gradients), when a step is one micro-batch, so that each gradient is written
/// once. Their norm is of the rounded values, as in torch. Embedding and head stay in float32: their
/// gradients are sums over tokens and chunks.
void choose_grad_dtypes(const models::Decoder& decoder, const config::Recipe& recipe);

/// Builds a checkpoint's model with a trained adapter on it, ready to compute; only the adapter is trainable.
LoadedModel load_model(const config::Recipe& recipe, const peft::AdapterFolder& adapter);

}  // namespace automodel::train
