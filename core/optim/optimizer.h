#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/recipe/optimizer.h"
#include "core/optim/param_groups.h"
#include "core/tensor/flat_parameter.h"

namespace automodel::optim {

/// Updates units in place, by one fused kernel per range of equal settings: per unit where all parameters are
/// of one group. State has the type of the main weights. One thread.
class Optimizer {
 public:
  /// One group of all parameters of trainable units. State is allocated zeroed. Units outlive the optimizer.
  /// `seed` is of the draws of stochastic rounding; Error(kConfig) when that is asked for and weights are not
  /// bfloat16.
  Optimizer(const config::OptimizerConfig& config,
            std::vector<tensor::FlatParameter*> units,
            uint64_t seed = 0);

  /// The same with several groups; `group_of` is asked once for each parameter.
  Optimizer(std::vector<ParamGroup> groups,
            const GroupOf& group_of,
            std::vector<tensor::FlatParameter*> units,
            uint64_t seed = 0);

  /// One update with gradients times `clip`, a scalar f32 on the units' device; the step count goes up first.
  /// When it is not finite nothing else changes. Units are told that they changed. On a GPU the host does not
  /// wait.
  void step(double lr, double weight_decay, const at::Tensor& clip);

  /// Updates done so far.
  int64_t num_steps() const { return num_steps_; }

  void set_num_steps(int64_t num_steps) { num_steps_ = num_steps; }

  /// A state buffer of one range: "exp_avg", "exp_avg_sq", "momentum_buffer", ...
  struct State {
    std::string kind;
    Range range;
    at::Tensor values;  ///< flat, as long as the range
  };

  const std::vector<State>& state() const { return state_; }

 private:
  std::vector<ParamGroup> groups_;
  std::vector<tensor::FlatParameter*> units_;  ///< the trainable ones
  std::vector<Range> ranges_;
  std::vector<State> state_;  ///< in the order of ranges_, those of one range in the order of its algorithm
  uint64_t seed_ = 0;
  int64_t num_steps_ = 0;
};

}  // namespace automodel::optim
