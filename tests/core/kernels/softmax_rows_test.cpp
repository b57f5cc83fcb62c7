#include "core/kernels/softmax_rows.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace automodel::kernels {
namespace {

constexpr int64_t kRows = 5, kWidth = 37;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float score(int64_t r, int64_t i) {
  return static_cast<float>(std::sin(static_cast<double>(r * kWidth + i))) * 30;
}

std::vector<float> scores() {
  std::vector<float> all;
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t i = 0; i < kWidth; ++i) all.push_back(score(r, i));
  }
  return all;
}

/// Row 2 sees nothing; elsewhere every third column is hidden.
std::vector<float> mask() {
  std::vector<float> all;
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t i = 0; i < kWidth; ++i) all.push_back(r == 2 || i % 3 == 1 ? -kInfinity : 0.5f);
  }
  return all;
}

/// By the definition, in double.
struct Expected {
  std::vector<double> p = std::vector<double>(kRows * kWidth);
  std::vector<double> lse = std::vector<double>(kRows, -std::numeric_limits<double>::infinity());

  explicit Expected(const Visible<float>& visible) {
    for (int64_t r = 0; r < kRows; ++r) {
      const auto value = [&](int64_t i) {
        const float hidden = visible.mask ? visible.mask[r * visible.mask_stride + i] : 0;
        return i < visible.first + r * visible.more ? std::exp(static_cast<double>(score(r, i) + hidden)) : 0;
      };
      double sum = 0;
      for (int64_t i = 0; i < kWidth; ++i) sum += value(i);
      if (sum == 0) continue;
      lse[static_cast<size_t>(r)] = std::log(sum);
      for (int64_t i = 0; i < kWidth; ++i) p[static_cast<size_t>(r * kWidth + i)] = value(i) / sum;
    }
  }
};

void check(const Visible<float>& visible) {
  const Expected expected(visible);
  std::vector<float> p = scores(), inverse_sums(kRows), lse(kRows);
  softmax_rows(p.data(), visible, inverse_sums.data(), lse.data(), kRows, kWidth);
  scale_rows(p.data(), kWidth, inverse_sums.data(), kRows, kWidth);
  std::vector<float> again = scores(), ds(kRows * kWidth), means(kRows, 0.25f);
  for (size_t i = 0; i < ds.size(); ++i) ds[i] = static_cast<float>(std::cos(static_cast<double>(i)));
  const std::vector<float> dp = ds;
  softmax_rows_backward(again.data(), ds.data(), visible, lse.data(), means.data(), kRows, kWidth);
  for (size_t i = 0; i < p.size(); ++i) {
    ASSERT_NEAR(p[i], expected.p[i], 1e-6) << i;
    ASSERT_NEAR(again[i], expected.p[i], 6e-6) << i;
    ASSERT_NEAR(ds[i], expected.p[i] * (static_cast<double>(dp[i]) - 0.25), 6e-6) << i;
  }
  for (size_t r = 0; r < lse.size(); ++r) {
    if (std::isinf(expected.lse[r])) {
      EXPECT_EQ(lse[r], -kInfinity);
    } else {
      EXPECT_NEAR(lse[r], expected.lse[r], 5e-6);
    }
  }
}

TEST(SoftmaxRows, EqualsTheDefinition) {
  const std::vector<float> hidden = mask();
  check({kWidth, 0, nullptr, 0});
  check({20, 1, nullptr, 0});
  check({kWidth, 0, hidden.data(), kWidth});
  check({kWidth, 0, hidden.data(), 0});
}

TEST(SoftmaxRows, ProductsAndFactorsOfRows) {
  const std::vector<double> a = {1, 2, 3, 4, 5, 6}, b = {7, 8, 9, 10};
  std::vector<double> means(2);
  row_products(a.data(), 3, b.data(), 2, means.data(), 2, 2);
  EXPECT_EQ(means, (std::vector<double>{1 * 7 + 2 * 8, 4 * 9 + 5 * 10}));
  std::vector<double> x = a;
  scale_rows(x.data(), 3, b.data(), 2, 2);
  EXPECT_EQ(x, (std::vector<double>{7, 14, 3, 32, 40, 6}));
}

}  // namespace
}  // namespace automodel::kernels
