#pragma once

#include <optional>
#include <vector>

#include "core/tensor/torch.h"

#include "core/config/recipe/recipe.h"
#include "core/dist/context.h"
#include "core/engine/graphed_executor.h"
#include "core/optim/optimizer.h"
#include "core/train/model_setup.h"
#include "core/weights/cost.h"

namespace automodel::train {

/// The place of this process among those of a run, its device made ready: LibTorch's deterministic operators
/// where the recipe asks for them, and a stream that can be captured where CUDA graphs may be used. Throws
/// Error(kConfig) when the recipe's mesh does not fit, what ops::find_device() does for its device.
dist::Context make_context(const config::Recipe& recipe, int64_t world_size, int64_t rank);

/// A model in training: everything that one step touches. Not thread-safe; `recipe` and `context` must
/// outlive it.
struct Training {
  const config::Recipe& recipe;
  const dist::Context& context;
  LoadedModel model;
  std::vector<tensor::FlatParameter*> units;
  engine::GraphedExecutor executor;
  optim::Optimizer optimizer;
  weights::Cost cost;
  bool has_experts;

  /// Loads or initialises the recipe's model on the context's device. Throws what load_model() does.
  Training(const config::Recipe& recipe, const dist::Context& context);

  /// Since the last call. On a CPU since the process began, and with CUDA graphs since the first of them was
  /// captured: replays use memory that nothing is told of.
  double take_peak_memory_gib() const;

  /// Peak rate of one device: what the recipe says, else what the GPU's maker does; nullopt on a CPU.
  std::optional<double> peak_tflops() const;
};

}  // namespace automodel::train
