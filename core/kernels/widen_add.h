#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// What a GEMM without float32 results leaves to do for weight gradients on a CPU.
namespace automodel::kernels {

/// to[i] = from[i], or with `add` to[i] += from[i], for i in [0, n). Runs on the calling thread.
void widen_add(const BF16* from, float* to, int64_t n, bool add);

}  // namespace automodel::kernels
