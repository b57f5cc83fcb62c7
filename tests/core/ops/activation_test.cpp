#include "core/ops/activation.h"

#include <ATen/ops/relu.h>

#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using kernels::Activation;
using testing::random_tensor;

/// The largest difference of x, in float32, from what ATen gives in float64, of the largest of these.
double error(const at::Tensor& x, const at::Tensor& expected) {
  EXPECT_EQ(x.scalar_type(), at::kFloat);
  return ((x.to(at::kDouble) - expected).abs().max() / expected.abs().max()).item<double>();
}

TEST(Activation, Relu2InOnePassIsThatOfFloat64) {
  const at::Tensor x = random_tensor({19, 37}, 3), dy = random_tensor({19, 37}, 4);
  const at::Tensor narrow = x.to(at::kFloat), d = dy.to(at::kFloat);
  EXPECT_LT(error(activate(narrow, Activation::kRelu2), at::relu(x).square()), 1e-6);
  EXPECT_LT(error(activate_backward(d, narrow, Activation::kRelu2), 2 * at::relu(x) * dy), 1e-6);
}

}  // namespace
}  // namespace automodel::ops
