#pragma once

#include <optional>
#include <vector>

#include "core/tensor/flat_parameter.h"

namespace automodel::optim {

/// Sum of the squares of all elements: a scalar f64 on the tensor's device, the same for any number of
/// threads. `flat` is contiguous. f32 and bf16 are summed as they are; other types are widened first.
at::Tensor sum_of_squares(const at::Tensor& flat);

/// L2 norm over the gradients of all trainable units, every logical parameter once: a scalar f64 on the
/// units' device. Call after the walk; the host does not wait.
at::Tensor grad_norm(const std::vector<tensor::FlatParameter*>& units);

/// The factor that clips to `max_norm`: min(1, max_norm / (norm + 1e-6)), as torch's clip_grad_norm_; 1 when
/// off; NaN when the norm is not finite, which makes Optimizer::step leave everything as it is. A scalar f32.
at::Tensor clip_factor(const at::Tensor& norm, std::optional<double> max_norm);

}  // namespace automodel::optim
