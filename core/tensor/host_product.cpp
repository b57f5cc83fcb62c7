#include "core/tensor/host_product.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"

// BLAS, in LibTorch's own library.
extern "C" {
void sgemm_(const char*,
            const char*,
            const int*,
            const int*,
            const int*,
            const float*,
            const float*,
            const int*,
            const float*,
            const int*,
            const float*,
            float*,
            const int*);
void dgemm_(const char*,
            const char*,
            const int*,
            const int*,
            const int*,
            const double*,
            const double*,
            const int*,
            const double*,
            const int*,
            const double*,
            double*,
            const int*);
}

namespace automodel::tensor {
namespace {

int as_int(int64_t size) {
  check(size >= 0 && size <= std::numeric_limits<int>::max(),
        ErrorCode::kUnsupported,
        "a matrix product of size ",
        size,
        "; at most 2^31 - 1 is implemented");
  return static_cast<int>(size);
}

}  // namespace

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
                  Rows<T> c) {
  if (m == 0 || n == 0) return;
  // BLAS counts columns first: c^T = op(b)^T op(a)^T.
  const char of_a = transpose_a ? 'T' : 'N';
  const char of_b = transpose_b ? 'T' : 'N';
  const int rows = as_int(n), columns = as_int(m), inner = as_int(k);
  const int a_stride = as_int(std::max<int64_t>(a.stride, 1));
  const int b_stride = as_int(std::max<int64_t>(b.stride, 1));
  const int c_stride = as_int(c.stride);
  const auto gemm = [&](auto function) {
    function(&of_b,
             &of_a,
             &rows,
             &columns,
             &inner,
             &scale,
             b.at,
             &b_stride,
             a.at,
             &a_stride,
             &keep,
             c.at,
             &c_stride);
  };
  if constexpr (sizeof(T) == sizeof(float)) {
    gemm(sgemm_);
  } else {
    gemm(dgemm_);
  }
}

#define AUTOMODEL_INSTANTIATE(T) \
  template void host_product(    \
      bool, bool, int64_t, int64_t, int64_t, T, Rows<const T>, Rows<const T>, T, Rows<T>);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::tensor
