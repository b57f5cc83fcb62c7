#pragma once

#include <cstdint>

namespace automodel::tensor {

/// A matrix operand in rows.
template <class F>
struct Matrix {
  const F* data;
  int64_t stride;  ///< from row to row
  bool transposed = false;
};

/// c [m, n] = a [m, k] b [k, n] * by + beta c, all in rows on the CPU and on the calling thread: for products
/// that are too small for an operator's overhead, by the library that LibTorch carries. The result does not
/// depend on the number of threads, nor on whether the caller is one of a parallel region. A transposed
/// operand lies as [k, m] or [n, k]; c overlaps none. With beta 0, c is not read. Throws Error(kUnsupported)
/// for sizes beyond 32 bits.
void multiply(int64_t m,
              int64_t n,
              int64_t k,
              Matrix<float> a,
              Matrix<float> b,
              float beta,
              float* c,
              int64_t c_stride,
              float by = 1);
void multiply(int64_t m,
              int64_t n,
              int64_t k,
              Matrix<double> a,
              Matrix<double> b,
              double beta,
              double* c,
              int64_t c_stride,
              double by = 1);

}  // namespace automodel::tensor
