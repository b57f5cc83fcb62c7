#pragma once

// For core/ops/*.cpp only: the parts that the three linear ops share.

#include "core/ops/linear.h"

namespace automodel::ops {

/// x [..., in] as [rows, in].
at::Tensor as_rows(const at::Tensor& x);

/// x [rows, in] -> [rows, sum of out_i].
at::Tensor linear_forward(const at::Tensor& x, const Linear& layer);

/// Hands the weight and bias gradients to the sink; returns dx [rows, in], undefined when not needed.
/// x [rows, in], dy [rows, sum of out_i].
at::Tensor linear_backward(
    const at::Tensor& x, const at::Tensor& dy, const Linear& layer, GradSink& sink, bool needs_dx);

}  // namespace automodel::ops
