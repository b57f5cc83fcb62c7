#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// Layer normalisation over the last dimension: y = (x - mean) / sqrt(variance + eps) * weight + bias.
///
/// x       [..., D]  f32 | bf16, on a CPU also f64
/// norm    weight and bias [D] of the type of x, each a null handle where there is none
/// returns [..., D]  type of x; the statistics are accumulated in f32
/// Saves x, mean and 1 / sqrt(variance + eps). Source: Ba et al. 2016, arXiv:1607.06450.
at::Tensor layer_norm(const at::Tensor& x, const Norm& norm, const OpContext& context);

}  // namespace automodel::ops
