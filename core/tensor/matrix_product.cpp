#include "core/tensor/matrix_product.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"

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

/// Intel MKL: the number of threads of the calling thread's own products; 0 is the process-wide number.
/// Returns the one before. Absent where LibTorch carries another BLAS.
extern "C" __attribute__((weak)) int mkl_serv_set_num_threads_local(int threads);

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

/// A row of no element has a stride of 0, which BLAS refuses.
int as_stride(int64_t stride) {
  return as_int(std::max<int64_t>(stride, 1));
}

/// MKL chooses another kernel, and so another order of the sum, for a product that it could divide between
/// threads than for one inside a parallel region. Within this object's life it has one thread either way.
class OneThread {
 public:
  OneThread() : before_(mkl_serv_set_num_threads_local ? mkl_serv_set_num_threads_local(1) : 0) {}

  ~OneThread() {
    if (mkl_serv_set_num_threads_local) mkl_serv_set_num_threads_local(before_);
  }

  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

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
  if (m == 0 || n == 0) return;
  const char* const kinds[] = {"N", "T"};
  const int sizes[] = {as_int(n), as_int(m), as_int(k)};
  const int strides[] = {as_stride(b.stride), as_stride(a.stride), as_stride(c_stride)};
  const OneThread one_thread;
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
