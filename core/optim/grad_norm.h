#pragma once

#include <optional>
#include <vector>

#include "core/tensor/unit.h"

namespace automodel::optim {

/// L2 norm over the gradients of all trainable units, in f64, every logical parameter once. Call after the
/// walk.
double grad_norm(const std::vector<tensor::Unit*>& units);

/// The factor that clips to `max_norm`: min(1, max_norm / (norm + 1e-6)), as torch's clip_grad_norm_; 1 when
/// off.
float clip_factor(double norm, std::optional<double> max_norm);

}  // namespace automodel::optim
