#include "core/tensor/matrix_product.h"

// The Fortran entries of the BLAS in LibTorch: by columns.
#define AUTOMODEL_DECLARE_GEMM(name, F) \
  extern "C" void name(const char*,     \
                       const char*,     \
                       const int*,      \
                       const int*,      \
                       const int*,      \
                       const F*,        \
                       const F*,        \
                       const int*,      \
                       const F*,        \
                       const int*,      \
                       const F*,        \
                       F*,              \
                       const int*);
AUTOMODEL_DECLARE_GEMM(sgemm_, float)
AUTOMODEL_DECLARE_GEMM(dgemm_, double)
#undef AUTOMODEL_DECLARE_GEMM

namespace automodel::tensor {
namespace {

/// By columns, what lies in rows is transposed: c^T = b^T a^T.
template <class F, class Gemm>
void by_columns(Gemm gemm,
                int64_t m,
                int64_t n,
                int64_t k,
                const Matrix<F>& a,
                const Matrix<F>& b,
                F beta,
                F* c,
                int64_t c_stride,
                F by) {
  const char* const kinds[] = {"N", "T"};
  const int sizes[] = {static_cast<int>(n), static_cast<int>(m), static_cast<int>(k)};
  const int strides[] = {static_cast<int>(b.stride), static_cast<int>(a.stride), static_cast<int>(c_stride)};
  gemm(kinds[b.transposed ? 1 : 0],
       kinds[a.transposed ? 1 : 0],
       &sizes[0],
       &sizes[1],
       &sizes[2],
       &by,
       b.data,
       &strides[0],
       a.data,
       &strides[1],
       &beta,
       c,
       &strides[2]);
}

}  // namespace

void multiply(int64_t m,
              int64_t n,
              int64_t k,
              Matrix<float> a,
              Matrix<float> b,
              float beta,
              float* c,
              int64_t c_stride,
              float by) {
  by_columns(sgemm_, m, n, k, a, b, beta, c, c_stride, by);
}

void multiply(int64_t m,
              int64_t n,
              int64_t k,
              Matrix<double> a,
              Matrix<double> b,
              double beta,
              double* c,
              int64_t c_stride,
              double by) {
  by_columns(dgemm_, m, n, k, a, b, beta, c, c_stride, by);
}

}  // namespace automodel::tensor
