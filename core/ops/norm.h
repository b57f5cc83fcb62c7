#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// Normalisation over the last dimension by the kind that `norm` names: kRms as rms_norm.h says, kLayer as
/// layer_norm.h says, kNone: x itself. x f32, bf16, on a CPU also f64; [..., D] -> [..., D] of x's type.
/// Saves x and the statistics of each row.
at::Tensor norm(const at::Tensor& x, const Norm& norm, const OpContext& context);

}  // namespace automodel::ops
