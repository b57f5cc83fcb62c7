#include "core/tensor/matrix_product.h"

#include <limits>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "core/tensor/torch.h"
#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>

#include "core/base/error.h"

namespace automodel::tensor {
namespace {

/// Rows of a wider matrix, whole numbers: products are exact.
template <class F>
at::Tensor matrix(int64_t rows, int64_t columns, int64_t seed) {
  const auto dtype = c10::CppTypeToScalarType<F>::value;
  return at::arange(seed, seed + rows * (columns + 3)).remainder(7).to(dtype).view({rows, columns + 3}) - 3;
}

template <class F>
void check_product(bool a_transposed, bool b_transposed, F beta, F by) {
  constexpr int64_t kM = 5, kN = 19, kK = 11;
  const at::Tensor a = a_transposed ? matrix<F>(kK, kM, 1) : matrix<F>(kM, kK, 1);
  const at::Tensor b = b_transposed ? matrix<F>(kN, kK, 2) : matrix<F>(kK, kN, 2);
  at::Tensor c = matrix<F>(kM, kN, 5);
  const at::Tensor left = a.narrow(1, 0, a.size(1) - 3), right = b.narrow(1, 0, b.size(1) - 3);
  const at::Tensor product =
      (a_transposed ? left.t() : left).matmul(b_transposed ? right.t() : right) * static_cast<double>(by);
  at::Tensor expected = c.clone();
  expected.narrow(1, 0, kN).mul_(static_cast<double>(beta)).add_(product);
  multiply(kM,
           kN,
           kK,
           Matrix<F>{a.const_data_ptr<F>(), a.stride(0), a_transposed},
           Matrix<F>{b.const_data_ptr<F>(), b.stride(0), b_transposed},
           beta,
           c.mutable_data_ptr<F>(),
           c.stride(0),
           by);
  EXPECT_TRUE(c.equal(expected)) << a_transposed << b_transposed << beta << by;
}

TEST(MatrixProduct, OfRowsOfWiderMatricesEitherWayRound) {
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      check_product<float>(a, b, 0, 1);
      check_product<double>(a, b, 2, -1);
    }
  }
}

TEST(MatrixProduct, DoesNotDependOnTheThreads) {
  // A state that decays; MKL's AVX2 kernels also sum 64 x 128 x 16 otherwise inside a parallel region.
  for (const auto& [m, n, k] : {std::tuple{128, 128, 16}, {64, 16, 128}, {16, 128, 128}}) {
    const at::Tensor a = at::randn({m, k}), b = at::randn({k, n}), c = at::randn({m, n});
    for (const float beta : {0.0f, 0.3f, 1.0f}) {
      std::vector<at::Tensor> found(4);
      for (at::Tensor& out : found) out = c.clone();
      const auto form = [&](int64_t i) {
        multiply(m,
                 n,
                 k,
                 Matrix<float>{a.const_data_ptr<float>(), k},
                 Matrix<float>{b.const_data_ptr<float>(), n},
                 beta,
                 found[i].mutable_data_ptr<float>(),
                 n);
      };
      form(0);
      at::parallel_for(1, 4, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) form(i);
      });
      for (const at::Tensor& other : found) EXPECT_TRUE(other.equal(found[0])) << m << n << k << " " << beta;
    }
  }
}

TEST(MatrixProduct, OverwritesWhatIsNotKept) {
  const float a = 2, b = 3;
  float c = std::numeric_limits<float>::quiet_NaN();
  multiply(1, 1, 1, Matrix<float>{&a, 1}, Matrix<float>{&b, 1}, 0, &c, 1);
  EXPECT_EQ(c, 6.0f);
}

TEST(MatrixProduct, RefusesSizesBeyondTheLibrarys) {
  const float a = 2, b = 3;
  float c = 0;
  EXPECT_THROW(multiply(int64_t{1} << 31, 1, 1, Matrix<float>{&a, 1}, Matrix<float>{&b, 1}, 0, &c, 1), Error);
}

}  // namespace
}  // namespace automodel::tensor
