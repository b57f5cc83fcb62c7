#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/config/recipe/recipe.h"
#include "core/tensor/flat_parameter.h"

namespace automodel::optim {

/// Updates units in place, one fused kernel each (with stochastic rounding one a parameter). State has the
/// offsets of the unit it belongs to and the type of its main weights. One thread.
class Optimizer {
 public:
  /// State is allocated zeroed for trainable units. Units outlive the optimizer. `seed` is of the draws of
  /// stochastic rounding; Error(kConfig) when that is asked for and weights are not bfloat16.
  Optimizer(const config::OptimizerConfig& config,
            std::vector<tensor::FlatParameter*> units,
            uint64_t seed = 0);

  /// One update with gradients times `clip`, a scalar f32 on the units' device; the step count goes up first.
  /// When it is not finite nothing else changes. Units are told that they changed. On a GPU the host does not
  /// wait.
  void step(double lr, double weight_decay, const at::Tensor& clip);

  /// Updates done so far.
  int64_t num_steps() const { return num_steps_; }

  void set_num_steps(int64_t num_steps) { num_steps_ = num_steps; }

  /// A state buffer of one unit: "exp_avg", "exp_avg_sq" or "momentum_buffer".
  struct State {
    std::string kind;
    tensor::FlatParameter* unit;
    at::Tensor values;  ///< flat, as long as the unit
  };

  const std::vector<State>& state() const { return state_; }

 private:
  at::Tensor* find(const std::string& kind, const tensor::FlatParameter* unit);

  config::OptimizerConfig config_;
  std::vector<tensor::FlatParameter*> units_;
  std::vector<State> state_;
  uint64_t seed_ = 0;
  int64_t num_steps_ = 0;
};

}  // namespace automodel::optim
