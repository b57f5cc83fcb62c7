#pragma once

#include "core/tensor/torch.h"

namespace automodel::ops {

/// out [n, m, w] = a [n, m, k] b [n, k, w], with `accumulate` out + a b; float32 or float64. Every operand
/// has rows or columns without gaps; `out` has rows and does not overlap the others. On a CPU each of the n
/// products belongs to one thread, so that the result does not depend on their number; the operator's does
/// (MKL 2024, out with a stride of its own between matrices).
void batched_product_out(const at::Tensor& a, const at::Tensor& b, at::Tensor out, bool accumulate = false);

/// The same into memory of its own.
at::Tensor batched_product(const at::Tensor& a, const at::Tensor& b);

}  // namespace automodel::ops
