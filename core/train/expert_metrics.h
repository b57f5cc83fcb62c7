#pragma once

#include <cstdint>
#include <vector>

#include "core/config/recipe/recipe.h"
#include "core/train/metrics.h"

namespace automodel::train {

/// values[first..] cut into the loads of each layer.
std::vector<std::vector<double>> split_loads(const std::vector<double>& values,
                                             size_t first,
                                             const std::vector<int64_t>& num_experts);

/// How evenly the tokens of a step went to the experts, with the reference's names (docs/metrics.md). `loads`
/// are the tokens of each expert, by layer; none: no metrics. An expert's utilisation is its load
/// divided by the mean of its layer; cv is the standard deviation (of a sample) divided by the mean.
ExtraMetrics expert_metrics(const std::vector<std::vector<double>>& loads,
                            const config::MoeMetricsConfig& config,
                            int64_t step);

}  // namespace automodel::train
