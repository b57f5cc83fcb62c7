#pragma once

#include "core/tensor/torch.h"

#include "core/kernels/expert_glu.h"

namespace automodel::ops {

/// The product of an expert, without a graph. gate_up [rows, 2 F] holds gate, then up, or [rows, F] up alone
/// where there is no gate -> [rows, F].
at::Tensor expert_glu(const at::Tensor& gate_up, const kernels::ExpertGlu& gate);

/// What the backward writes, all contiguous.
struct ExpertGradient {
  at::Tensor product;   ///< [rows, F], times its row's weight
  at::Tensor dgate_up;  ///< as gate_up
  at::Tensor dweights;  ///< [rows] f32 (f64)
};

/// From the gradient of the product before weighting, dproduct [rows, F]: `weights` [rows] may be undefined:
/// ones. Overwrites `to`.
void expert_glu_backward(const at::Tensor& dproduct,
                         const at::Tensor& gate_up,
                         const at::Tensor& weights,
                         const kernels::ExpertGlu& gate,
                         const ExpertGradient& to);

}  // namespace automodel::ops
