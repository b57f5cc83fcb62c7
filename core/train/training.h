#pragma once

#include <optional>
#include <vector>

#include "core/tensor/torch.h"

#include "core/config/recipe/recipe.h"
#include "core/engine/walk.h"
#include "core/optim/optimizer.h"
#include "core/train/model_setup.h"
#include "core/weights/cost.h"

namespace automodel::train {

/// A model in training: everything that one step touches. Not thread-safe; `recipe` must outlive it.
struct Training {
  const config::Recipe& recipe;
  LoadedModel model;
  std::vector<tensor::Unit*> units;
  engine::Walk walk;
  optim::Optimizer optimizer;
  weights::Cost cost;
  bool has_experts;
  at::Device device;  ///< where the model lies; asked for in every micro-batch

  /// Loads or initialises the recipe's model on its device. Throws what load_model() does.
  explicit Training(const config::Recipe& recipe);

  /// Since the last call. On a CPU since the process began, and with CUDA graphs since the first of them was
  /// captured: replays use memory that nothing is told of.
  double take_peak_memory_gib() const;

  /// Of one device: what the recipe says, else what the GPU's maker does; nullopt on a CPU.
  std::optional<double> peak_tflops() const;
};

}  // namespace automodel::train
