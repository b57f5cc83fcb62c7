#pragma once

#include <cstdint>
#include <vector>

#include "core/ops/linear.h"

namespace automodel::ops {

/// Low-rank adapters of a linear: part i of its output gains scale * B_i A_i x. Hu et al. 2021,
/// arXiv:2106.09685. A part is a range of outputs: q, k or v of one GEMM, or all of them; not every part
/// needs one.
struct Lora {
  struct Part {
    tensor::Weight b;    ///< B_i [width, r]
    int64_t column = 0;  ///< where the part begins in the linear's output
    uint64_t site = 0;   ///< of its dropout
  };

  Linear a;  ///< the A_i [r, in] of all parts, applied as one
  std::vector<Part> parts;
  double scale = 1;            ///< alpha / r
  double dropout = 0;          ///< of the adapter's input or output, in training only
  bool dropout_first = false;  ///< of x before A; false: of the product after B
};

/// y [rows, out] += the adapters' part. x [rows, in].
void lora_forward(const at::Tensor& x, const Lora& lora, const OpContext& context, at::Tensor& y);

/// Hands the gradients of A and B to the sink and adds the adapters' part to dx [rows, in], unless that is
/// undefined. x [rows, in], dy [rows, out]. Saves nothing: A x is formed again.
void lora_backward(
    const at::Tensor& x, const at::Tensor& dy, const Lora& lora, const OpContext& context, at::Tensor& dx);

}  // namespace automodel::ops
