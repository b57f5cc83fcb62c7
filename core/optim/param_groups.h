#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/config/recipe/optimizer.h"
#include "core/tensor/flat_parameter.h"

namespace automodel::optim {

/// Settings that some parameters share.
struct ParamGroup {
  config::OptimizerConfig config;  ///< the algorithm and its numbers
  double lr_scale = 1;             ///< times the step's learning rate
  double weight_decay_scale = 1;   ///< times the step's weight decay
};

/// Parameters of one group that lie side by side in one unit: what a call of an algorithm updates.
struct Range {
  tensor::FlatParameter* unit;
  size_t group;  ///< in the list of groups
  size_t first_parameter;
  size_t num_parameters;
  int64_t begin;  ///< in elements of the unit's flat buffers, a multiple of tensor::kAlignment
  int64_t numel;  ///< with the gaps behind its parameters, which hold zeros

  /// Part of a flat buffer as long as the range, shaped as the parameter `index` of the unit.
  at::Tensor view(const at::Tensor& flat, size_t index) const;
};

/// Number of the group that a parameter belongs to.
using GroupOf = std::function<size_t(const tensor::Parameter&)>;

/// The ranges of the units, as long as they can be: neighbours of one group are one range. They cover each
/// unit without overlap, in its order.
std::vector<Range> ranges_of(const std::vector<tensor::FlatParameter*>& units, const GroupOf& group_of);

}  // namespace automodel::optim
