#pragma once

#include <cstdint>

#include "core/kernels/element.h"

namespace automodel::kernels {

/// Elements summed by one call of sum_squares: callers add the parts in order, so that the total does not
/// depend on the number of threads.
constexpr int64_t kSumSquaresChunk = 1 << 16;

/// Sum of squares of x[0, n) in f64. T is float or BF16. Runs on the calling thread.
template <class T>
double sum_squares(const T* x, int64_t n);

/// The sum of squares of x [n], f32 or bf16, 16-byte aligned, on the device: parts [kSumSquaresParts] f64 is
/// overwritten, their sum is the result. The order of additions is fixed. Asynchronous on `stream` (a
/// cudaStream_t), no workspace.
constexpr int64_t kSumSquaresParts = 1056;
void sum_squares_cuda(Element type, const void* x, int64_t n, double* parts, void* stream);

}  // namespace automodel::kernels
