#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// Root-mean-square normalisation over the last dimension: y = x / rms(x) * weight.
///
/// x       [..., D]  f32 | bf16, on a CPU also f64
/// norm    weight [D] of the type of x; eps added to mean(x^2)
/// returns [..., D]  type of x; the mean is accumulated in f32 (f64 in f64)
/// Saves x and rstd. Source: Zhang & Sennrich 2019, arXiv:1910.07467.
at::Tensor rms_norm(const at::Tensor& x, const Norm& norm, const OpContext& context);

/// The parts, without a graph, for ops that fuse the norm. x [rows, D], contiguous in D; rstd [rows] f32.
struct Normed {
  at::Tensor y;
  at::Tensor rstd;
};

Normed rms_norm_forward(const at::Tensor& x, const Norm& norm);

/// RMSNorm of sum = x + addend [rows, D], contiguous both, rounded to their type; on a GPU in one pass.
struct AddedNormed {
  at::Tensor sum;
  Normed normed;
};

AddedNormed add_rms_norm_forward(const at::Tensor& x, const at::Tensor& addend, const Norm& norm);
at::Tensor rms_norm_apply(const at::Tensor& x, const at::Tensor& rstd, const Norm& norm);

/// dy, x [rows, D] -> dx; the weight gradient goes to the sink, unless the norm is frozen. A defined
/// `residual` [rows, D], the gradient that came past the norm, is added to dx in the same pass.
at::Tensor rms_norm_backward(const at::Tensor& dy,
                             const at::Tensor& x,
                             const at::Tensor& rstd,
                             const Norm& norm,
                             GradSink& sink,
                             const at::Tensor& residual = {});

}  // namespace automodel::ops
