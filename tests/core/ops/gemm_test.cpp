#include "core/ops/gemm.h"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

namespace automodel::ops {
namespace {

/// The largest difference; elements are sums of up to 96 products of about 1.
double error(const at::Tensor& got, const at::Tensor& expected) {
  return (got.to(at::kDouble) - expected).abs().max().item<double>();
}

class WideProduct : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    before_ = at::get_num_threads();
    at::set_num_threads(GetParam());
  }

  void TearDown() override { at::set_num_threads(before_); }

 private:
  int before_ = 1;
};

TEST_P(WideProduct, EqualsFloat64InEveryOrientation) {
  for (const auto& [m, n] : {std::pair{1, 1000}, {40, 1029}, {300, 777}, {777, 300}, {64, 64}}) {
    const int64_t k = 96;
    const at::Tensor a = at::randn({m, k}), b = at::randn({k, n});
    const at::Tensor a_columns = a.t().contiguous().t(), b_columns = b.t().contiguous().t();
    const at::Tensor expected = a.to(at::kDouble).matmul(b.to(at::kDouble));
    for (const at::Tensor& left : {a, a_columns})
      for (const at::Tensor& right : {b, b_columns}) EXPECT_LT(error(gemm(left, right), expected), 5e-5);
  }
}

TEST_P(WideProduct, AddsAndLeavesWhatIsBesideAView) {
  const at::Tensor a = at::randn({48, 32}), b = at::randn({32, 900});
  const at::Tensor all = at::full({48, 1000}, 3.0f);
  at::Tensor out = all.narrow(1, 50, 900);
  gemm_out(a, b, out, true);
  const at::Tensor expected = a.to(at::kDouble).matmul(b.to(at::kDouble));
  EXPECT_LT(error(out, expected + 3), 5e-5);
  gemm_out(a, b, out);
  EXPECT_LT(error(out, expected), 5e-5);
  EXPECT_TRUE((all.narrow(1, 0, 50) == 3).all().item<bool>());
  EXPECT_TRUE((all.narrow(1, 950, 50) == 3).all().item<bool>());
}

TEST_P(WideProduct, TakesBfloat16AndWeightsThatLearn) {
  const at::Tensor weight = at::randn({700, 64}).requires_grad_();
  const at::Tensor x = at::randn({20, 64});
  const c10::NoGradGuard no_grad;
  const at::Tensor expected = x.to(at::kDouble).matmul(weight.to(at::kDouble).t());
  EXPECT_LT(error(gemm(x, weight.t()), expected), 5e-5);
  const at::Tensor narrow = gemm(x.to(at::kBFloat16), weight.to(at::kBFloat16).t());
  EXPECT_EQ(narrow.scalar_type(), at::kBFloat16);
  EXPECT_LT(error(narrow, expected), 0.3);
}

INSTANTIATE_TEST_SUITE_P(Threads, WideProduct, testing::Values(1, 2, 3));

}  // namespace
}  // namespace automodel::ops
