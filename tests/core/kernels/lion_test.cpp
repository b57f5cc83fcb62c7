#include "core/kernels/lion.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/kernels/cases.h"

namespace automodel::kernels {
namespace {

using testing::normal;

/// The paper's algorithm 2 in double, one element through several steps.
struct Exact {
  double p, m = 0;

  void step(double grad, const LionArgs& a) {
    const double g = grad * a.grad_scale;
    const double c = a.beta1 * m + (1 - a.beta1) * g;
    const double update = c > 0 ? 1 : c < 0 ? -1 : 0;
    p -= a.lr * (update + a.weight_decay * p);
    m = a.beta2 * m + (1 - a.beta2) * g;
  }
};

TEST(Lion, FollowsThePaperOverSteps) {
  for (const int64_t n : testing::flat_sizes()) {
    std::vector<float> p = normal(n, 1), m(p.size());
    Exact first{p.front()}, last{p.back()};
    for (int64_t step = 1; step <= 8; ++step) {
      const LionArgs args{1e-2, 0.9, 0.95, 0.1, 0.5f};
      const std::vector<float> grad = normal(n, static_cast<unsigned>(step) + 10);
      lion(p.data(), grad.data(), m.data(), n, args);
      first.step(grad.front(), args);
      if (n > 1) last.step(grad.back(), args);
    }
    EXPECT_NEAR(p.front(), first.p, 1e-6) << n;
    EXPECT_NEAR(m.front(), first.m, 1e-6) << n;
    if (n > 1) {
      EXPECT_NEAR(p.back(), last.p, 1e-6) << n;
      EXPECT_NEAR(m.back(), last.m, 1e-6) << n;
    }
  }
}

TEST(Lion, DirectionAndMomentHaveBetasOfTheirOwn) {
  // After one step m is (1 - beta2) g; then -g decides by beta1 whether the direction turns.
  for (const double beta1 : {0.5, 0.999}) {
    float p = 0, m = 0;
    const LionArgs args{1, beta1, 0.9, 0, 1};
    for (const float grad : {1.0f, -0.01f}) lion(&p, &grad, &m, 1, args);
    const double c = beta1 * 0.1 - (1 - beta1) * 0.01;
    EXPECT_GT(c, 0);
    EXPECT_EQ(p, -2);
    const float against = -1;
    lion(&p, &against, &m, 1, args);
    EXPECT_EQ(p, beta1 == 0.5 ? -1 : -3) << "beta1 " << beta1;
  }
}

TEST(Lion, WhereNothingPullsNothingMoves) {
  float p = 0.75f, m = 0;
  const float grad = 0;
  lion(&p, &grad, &m, 1, {1e-2, 0.9, 0.99, 0, 1});
  EXPECT_EQ(p, 0.75f) << "sign(0) is 0, as in the gaps of a flat buffer";
}

TEST(Lion, Bf16GradientsGiveWhatRoundedFloatOnesGive) {
  const int64_t n = 4099;
  const std::vector<float> start = normal(n, 2), grad = normal(n, 3);
  std::vector<BF16> narrow(grad.size());
  for (size_t i = 0; i < grad.size(); ++i) store(narrow[i], grad[i]);
  const auto update = [&](const auto& gradients) {
    std::vector<BF16> p(start.size()), m(start.size());
    for (size_t i = 0; i < p.size(); ++i) store(p[i], start[i]);
    for (int step = 0; step < 3; ++step)
      lion(p.data(), gradients.data(), m.data(), n, {1e-1, 0.9, 0.99, 0.01, 0.3f});
    std::vector<uint16_t> bits;
    for (size_t i = 0; i < p.size(); ++i) bits.insert(bits.end(), {p[i].bits, m[i].bits});
    return bits;
  };
  EXPECT_EQ(update(narrow), update(grad));
}

}  // namespace
}  // namespace automodel::kernels
