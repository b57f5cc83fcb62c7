#pragma once

#include "core/tensor/torch.h"

#include "core/kernels/activation.h"

namespace automodel::ops {

/// act(gate) * up, without a graph, for glu_linear. gate_up [rows, 2 F] holds gate, then up -> [rows, F].
at::Tensor glu(const at::Tensor& gate_up, kernels::Activation activation);

/// dproduct [rows, F] -> the gradient of gate_up [rows, 2 F].
at::Tensor glu_backward(const at::Tensor& dproduct,
                        const at::Tensor& gate_up,
                        kernels::Activation activation);

/// The same, and the product itself, in one pass on a GPU, and of silu on a CPU.
struct ProductAndGradient {
  at::Tensor product;
  at::Tensor dgate_up;
};

ProductAndGradient gated_product_again(const at::Tensor& dproduct,
                                       const at::Tensor& gate_up,
                                       kernels::Activation activation);

}  // namespace automodel::ops
