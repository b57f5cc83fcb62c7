#pragma once

#include <cstdint>

namespace automodel::tensor {

/// A matrix of rows in host memory, each `stride` elements after the one before.
template <class T>
struct Rows {
  T* at = nullptr;
  int64_t stride = 0;
};

/// c = scale op(a) op(b) + keep c, with op(x) = x or its transpose, by the library that LibTorch carries: for
/// products that are too small for an operator's overhead.
///
/// a [m, k], or [k, m] transposed;  b [k, n], or [n, k] transposed;  c [m, n], not overlapping a or b
/// keep 0: c is only written. T is float or double. On one thread inside at::parallel_for.
/// Throws Error(kUnsupported) for sizes beyond 32 bits.
template <class T>
void host_product(bool transpose_a,
                  bool transpose_b,
                  int64_t m,
                  int64_t n,
                  int64_t k,
                  T scale,
                  Rows<const T> a,
                  Rows<const T> b,
                  T keep,
                  Rows<T> c);

}  // namespace automodel::tensor
