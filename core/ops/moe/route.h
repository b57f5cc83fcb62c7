#pragma once

#include "core/kernels/route.h"
#include "core/ops/linear.h"

namespace automodel::ops {

/// Logits of a router: x W^T + b in the type of x, or with `float32` from operands converted to float32 (f64
/// stays f64). x [tokens, D] -> [tokens, E]. Saves x.
at::Tensor router_logits(const at::Tensor& x, const Linear& layer, bool float32, const OpContext& context);

/// The experts of each token, best first, and their weights.
struct Routing {
  at::Tensor experts;  ///< [tokens, k] int64
  at::Tensor weights;  ///< [tokens, k] f32 (f64 from f64), with a graph to the logits
};

/// Chooses as core/kernels/route.h says. logits [tokens, E] f32 | bf16 | f64, worked on in f32 (f64).
/// score_bias: [E] f32, or undefined. Saves the logits. Throws Error(kInvalidArgument) when the config and
/// the shapes disagree.
Routing route(const at::Tensor& logits, const at::Tensor& score_bias, const kernels::RouterConfig& config);

/// Token t gets experts t k, t k + 1, ... of the circle of all, each with weight 1/k: equal loads without a
/// router. `options`: device and f32 or f64 of the weights.
Routing route_balanced(int64_t tokens, const kernels::RouterConfig& config, const at::TensorOptions& options);

}  // namespace automodel::ops
