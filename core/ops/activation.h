#pragma once

#include "core/tensor/torch.h"

#include "core/kernels/activation.h"

namespace automodel::ops {

/// act(x), without a graph. Any shape and floating type.
at::Tensor activate(const at::Tensor& x, kernels::Activation activation);

/// dy * act'(x).
at::Tensor activate_backward(const at::Tensor& dy, const at::Tensor& x, kernels::Activation activation);

}  // namespace automodel::ops
