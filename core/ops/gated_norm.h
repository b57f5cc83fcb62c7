#pragma once

#include "core/kernels/gated_norm.h"
#include "core/ops/linear.h"

namespace automodel::ops {

/// Gated RMS normalisation, see core/kernels/gated_norm.h.
struct GatedNorm {
  tensor::Weight weight{};  ///< [width] or [group]; a null handle with kGateOnly
  double eps = 1e-6;
  int64_t group = 0;  ///< neighbouring elements normalised as one
  kernels::GateOrder order = kernels::GateOrder::kGateFirst;
};

/// linear(gated_norm(x, gate)). x [B, T, W] and gate [B, T, W], any distance between the gate's tokens; f32,
/// bf16, on a CPU also f64 -> [B, T, sum of out_i].
/// Saves x, gate and the statistics; what the linear reads is formed anew at the cheap level, saved
/// otherwise.
at::Tensor gated_norm_linear(const at::Tensor& x_BTW,
                             const at::Tensor& gate_BTW,
                             const GatedNorm& norm,
                             const Linear& layer,
                             const OpContext& context);

}  // namespace automodel::ops
