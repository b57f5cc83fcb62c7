#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// x times a weight of its last dims: y[..., i] = x[..., i] * (offset + weight[i]).
///
/// x        [..., weight's shape]  f32 | bf16, on a CPU also f64
/// weight   of the type of x
/// returns  as x. Saves x.
at::Tensor channel_scale(const at::Tensor& x,
                         const tensor::Weight& weight,
                         double offset,
                         const OpContext& context);

}  // namespace automodel::ops
