#include "core/kernels/softmax_grad.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace automodel::kernels {
namespace {

TEST(SoftmaxGrad, IsTheExponentialLessOneAtTheTarget) {
  constexpr int64_t kWidth = 20011;
  const float scale = 0.25f;
  std::vector<float> log_probs(2 * kWidth);
  for (size_t i = 0; i < log_probs.size(); ++i) log_probs[i] = -95.0f * static_cast<float>(i) / (2 * kWidth);
  log_probs[7] = -std::numeric_limits<float>::infinity();
  const std::vector<int64_t> targets = {3, 11};
  std::vector<float> expected(log_probs.size()), got(log_probs.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const bool target = static_cast<int64_t>(i % kWidth) == targets[i / kWidth];
    expected[i] =
        static_cast<float>((std::exp(static_cast<double>(log_probs[i])) - (target ? 1 : 0)) * scale);
  }
  softmax_grad(log_probs.data(), targets.data(), got.data(), 2, kWidth, scale);
  std::vector<BF16> narrow(log_probs.size());
  softmax_grad(log_probs.data(), targets.data(), narrow.data(), 2, kWidth, scale);
  for (size_t i = 0; i < got.size(); ++i) {
    // Two units in the last place of the exponential, which one is taken from at a target.
    const double rounding = 2.5e-7 * std::exp(static_cast<double>(log_probs[i])) * scale + 1e-38;
    ASSERT_NEAR(got[i], expected[i], rounding) << "of " << log_probs[i];
    ASSERT_NEAR(load(narrow[i]), expected[i], std::abs(expected[i]) / 250 + 1e-38) << "of " << log_probs[i];
  }
  EXPECT_EQ(got[7], 0.0f);
  softmax_grad(log_probs.data(), targets.data(), log_probs.data(), 2, kWidth, scale);
  EXPECT_EQ(log_probs, got) << "in place";
}

}  // namespace
}  // namespace automodel::kernels
