#pragma once

#include <utility>
#include <vector>

#include "core/tensor/torch.h"

namespace automodel::nn {

/// x times a constant for each run of columns, [..., sum of sizes]: pairs of a factor and how many
/// neighbouring columns it is for. x itself when all are 1.
at::Tensor scale_columns(const at::Tensor& x, const std::vector<std::pair<double, int64_t>>& factors);

}  // namespace automodel::nn
