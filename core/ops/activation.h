#pragma once

#include "core/tensor/torch.h"

#include "core/kernels/activation.h"

namespace automodel::ops {

/// act(x). Any shape and floating type. Part of the graph where x is.
at::Tensor activate(const at::Tensor& x, kernels::Activation activation);

/// dy * act'(x).
at::Tensor activate_backward(const at::Tensor& dy, const at::Tensor& x, kernels::Activation activation);

}  // namespace automodel::ops
