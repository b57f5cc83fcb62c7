#pragma once

// For core/ops/*.cpp only: the parts that the three linear ops share.

#include "core/ops/linear.h"

namespace automodel::ops {

/// x [..., in] as [rows, in].
at::Tensor as_rows(const at::Tensor& x);

/// x [rows, in] -> [rows, sum of out_i], adapters included.
at::Tensor linear_forward(const at::Tensor& x, const Linear& layer, const OpContext& context);

/// dy W of the base's weights; a given `dx` is added to.
at::Tensor linear_dx(const at::Tensor& dy, const Linear& layer, at::Tensor dx = {});

/// Hands the gradients of the base's weights and biases to the sink.
void linear_dweights(const at::Tensor& x, const at::Tensor& dy, const Linear& layer, GradSink& sink);

/// Hands the gradients of weights, biases and adapters to the sink; returns dx [rows, in], undefined when not
/// needed. x [rows, in], dy [rows, sum of out_i]. A given `dx` is added to.
at::Tensor linear_backward(const at::Tensor& x,
                           const at::Tensor& dy,
                           const Linear& layer,
                           const OpContext& context,
                           bool needs_dx,
                           at::Tensor dx = {});

/// The leaf that keeps an op in the graph for its weights' sake: one that requires a gradient when the norm
/// (null: none), the linear or its adapters learn.
const at::Tensor& anchor_of(const Linear& layer, const Norm* norm = nullptr);

}  // namespace automodel::ops
