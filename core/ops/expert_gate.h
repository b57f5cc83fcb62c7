#pragma once

#include "core/kernels/expert_gate.h"
#include "core/ops/gated_product.h"

namespace automodel::ops {

/// The product of an expert, without a graph. gate_up [rows, 2 F] holds gate, then up -> [rows, F].
at::Tensor expert_product(const at::Tensor& gate_up, const kernels::ExpertGate& gate);

/// dproduct [rows, F] -> the product again, and the gradient of gate_up [rows, 2 F].
ProductAndGradient expert_product_again(const at::Tensor& dproduct,
                                        const at::Tensor& gate_up,
                                        const kernels::ExpertGate& gate);

}  // namespace automodel::ops
