#include "core/kernels/adamw.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/kernels/bfloat16.h"
#include "core/kernels/sgd.h"
#include "core/kernels/sum_squares.h"
#include "tests/core/kernels/cases.h"

namespace automodel::kernels {
namespace {

using testing::normal;

/// The paper's formula in double, one element through several steps.
struct Exact {
  double p, m = 0, v = 0;

  void step(double grad, const AdamWArgs& a) {
    double g = grad * a.grad_scale;
    if (a.decoupled) {
      p *= 1 - a.lr * a.weight_decay;
    } else {
      g += a.weight_decay * p;
    }
    m = a.beta1 * m + (1 - a.beta1) * g;
    v = a.beta2 * v + (1 - a.beta2) * g * g;
    const double t = static_cast<double>(a.step);
    p -= a.lr * (m / (1 - std::pow(a.beta1, t))) / (std::sqrt(v / (1 - std::pow(a.beta2, t))) + a.eps);
  }
};

TEST(AdamW, FollowsThePaperOverSteps) {
  for (const bool decoupled : {true, false}) {
    for (const int64_t n : testing::flat_sizes()) {
      std::vector<float> p = normal(n, 1), m(p.size()), v(p.size());
      Exact first{p.front()}, last{p.back()};
      for (int64_t step = 1; step <= 5; ++step) {
        const AdamWArgs args{1e-2, 0.9, 0.95, 1e-8, 0.1, decoupled, step, 0.5f};
        const std::vector<float> grad = normal(n, static_cast<unsigned>(step) + 10);
        adamw_f32(p.data(), grad.data(), m.data(), v.data(), n, args);
        first.step(grad.front(), args);
        if (n > 1) last.step(grad.back(), args);
      }
      EXPECT_NEAR(p.front(), first.p, 2e-6) << n;
      if (n > 1) {
        EXPECT_NEAR(p.back(), last.p, 2e-6) << n;
      }
    }
  }
}

TEST(AdamW, Bf16StaysWithinItsRoundingOfTheFloatUpdate) {
  const int64_t n = 4099;
  const std::vector<float> start = normal(n, 2), grad = normal(n, 3);
  std::vector<uint16_t> p(start.size()), m(start.size()), v(start.size());
  for (size_t i = 0; i < p.size(); ++i) p[i] = to_bf16(start[i]);
  const AdamWArgs args{1e-1, 0.9, 0.999, 1e-8, 0.01, true, 1, 1};
  adamw_bf16(p.data(), grad.data(), m.data(), v.data(), n, args);
  for (size_t i = 0; i < p.size(); ++i) {
    Exact exact{from_bf16(to_bf16(start[i]))};
    exact.step(grad[i], args);
    const double rounding = std::abs(exact.p) / 128 + 0.1 / 64;
    EXPECT_NEAR(from_bf16(p[i]), exact.p, rounding) << i;
  }
}

TEST(AdamW, ASmallUpdateOfABf16WeightRoundsAway) {
  uint16_t p = to_bf16(1.0f), m = 0, v = 0;
  const float grad = 1;
  adamw_bf16(&p, &grad, &m, &v, 1, {1e-5, 0.9, 0.999, 1e-8, 0, true, 1, 1});
  EXPECT_EQ(from_bf16(p), 1.0f) << "as torch does without a master copy";
}

TEST(Sgd, MomentumAndNesterovFollowTheirFormulae) {
  for (const bool nesterov : {false, true}) {
    float p = 1, buffer = 0;
    double exact = 1, b = 0;
    for (int step = 0; step < 4; ++step) {
      const float grad = 0.5f + 0.1f * static_cast<float>(step);
      sgd<float>(&p, &grad, &buffer, 1, {0.1, 0.9, 0.01, nesterov, step == 0, 1});
      const double g = grad + 0.01 * exact;
      b = step == 0 ? g : 0.9 * b + g;
      exact -= 0.1 * (nesterov ? g + 0.9 * b : b);
    }
    EXPECT_NEAR(p, exact, 1e-6);
  }
}

TEST(SumSquares, IsExactOnIntegersWhateverTheTail) {
  for (const int64_t n : {1, 7, 8, 9, 1000}) {
    std::vector<float> x(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(i)] = static_cast<float>(i);
    EXPECT_EQ(sum_squares(x.data(), n), static_cast<double>((n - 1) * n * (2 * n - 1)) / 6);
  }
}

}  // namespace
}  // namespace automodel::kernels
