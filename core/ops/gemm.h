#pragma once

#include "core/tensor/torch.h"

namespace automodel::ops {

// Matrix products of the linear layers. LibTorch's library halves a product of float32 or float64 between
// threads by its rows, and loses 10 to 15 % where the result is wider than tall (512 x 1408 of 512: 185
// instead of 213 GFLOP/s on two cores of an AMD EPYC). Such a product on a CPU is given to the threads here,
// by columns; every other goes to the operator as it is.

/// a [m, k] b [k, n] -> [m, n], of a's type.
at::Tensor gemm(const at::Tensor& a, const at::Tensor& b);

/// out [m, n] = a b, or out + a b with `accumulate`. `out` may have a row stride of its own.
void gemm_out(const at::Tensor& a, const at::Tensor& b, at::Tensor& out, bool accumulate = false);

}  // namespace automodel::ops
