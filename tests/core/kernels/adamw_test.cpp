#include "core/kernels/adamw.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/kernels/bfloat16.h"
#include "core/kernels/sgd.h"
#include "core/kernels/stochastic_round.h"
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

TEST(AdamW, Bf16GradientsGiveWhatRoundedFloatOnesGive) {
  const int64_t n = 4099;
  const std::vector<float> start = normal(n, 2), grad = normal(n, 3);
  std::vector<BF16> narrow(grad.size());
  for (size_t i = 0; i < grad.size(); ++i) store(narrow[i], grad[i]);
  for (const bool decoupled : {true, false}) {
    const AdamWArgs args{1e-1, 0.9, 0.999, 1e-8, 0.01, decoupled, 1, 0.3f};
    const auto update = [&](const auto& gradients) {
      std::vector<uint16_t> p(start.size()), m(start.size()), v(start.size());
      for (size_t i = 0; i < p.size(); ++i) p[i] = to_bf16(start[i]);
      adamw_bf16(p.data(), gradients.data(), m.data(), v.data(), n, args);
      return std::vector{p, m, v};
    };
    EXPECT_EQ(update(narrow), update(grad));
  }
}

TEST(AdamW, ASmallUpdateOfABf16WeightRoundsAway) {
  uint16_t p = to_bf16(1.0f), m = 0, v = 0;
  const float grad = 1;
  adamw_bf16(&p, &grad, &m, &v, 1, {1e-5, 0.9, 0.999, 1e-8, 0, true, 1, 1});
  EXPECT_EQ(from_bf16(p), 1.0f) << "as torch does without a master copy";
}

TEST(AdamW, StochasticRoundingKeepsTheMeanOfSmallUpdates) {
  constexpr int64_t kN = 1 << 16;
  const float start = 1.0f;
  std::vector<uint16_t> p(kN, to_bf16(start)), m(kN), v(kN);
  const std::vector<float> grad(kN, 0.3f);
  Exact exact{start};
  constexpr int64_t kSteps = 20;
  for (int64_t step = 1; step <= kSteps; ++step) {
    const AdamWArgs args{1e-5, 0.9, 0.999, 1e-8, 0.1, true, step, 1};
    adamw_bf16_stochastic(p.data(), grad.data(), m.data(), v.data(), kN, args, {7, step, "w"});
    exact.step(grad[0], args);
  }
  double sum = 0;
  for (const uint16_t bits : p) sum += from_bf16(bits);
  // A weight is 1 or a step of 2^-8 below: the mean of 65,536 has a standard error of at most 2^-8 / 2 / 256.
  const double standard_error = std::ldexp(1.0, -8) / 2 / 256;
  EXPECT_NEAR(sum / kN, exact.p, 4 * standard_error);
  EXPECT_LT(exact.p, start - 10 * standard_error) << "the test sees the update";
}

TEST(AdamW, StochasticRoundingDependsOnSeedStepNameAndElementAlone) {
  constexpr int64_t kN = 1000;
  const std::vector<float> start = normal(kN, 2), grad = normal(kN, 3);
  const AdamWArgs args{1e-3, 0.9, 0.999, 1e-8, 0.01, true, 1, 1};
  const auto update = [&](RoundingKey key, int64_t parts) {
    std::vector<uint16_t> p(kN), m(kN), v(kN);
    for (size_t i = 0; i < kN; ++i) p[i] = to_bf16(start[i]);
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t begin = kN * part / parts, end = kN * (part + 1) / parts;
      key.first_element = begin;
      adamw_bf16_stochastic(
          p.data() + begin, grad.data() + begin, m.data() + begin, v.data() + begin, end - begin, args, key);
    }
    p.insert(p.end(), m.begin(), m.end());
    p.insert(p.end(), v.begin(), v.end());
    return p;
  };
  const std::vector<uint16_t> whole = update({1, 2, "c"}, 1);
  EXPECT_EQ(update({1, 2, "c"}, 7), whole);
  EXPECT_NE(update({2, 2, "c"}, 1), whole);
  EXPECT_NE(update({1, 3, "c"}, 1), whole);
  EXPECT_NE(update({1, 2, "d"}, 1), whole);
}

TEST(StochasticRound, GoesToANeighbourByItsDistanceAndKeepsWhatIsNotFinite) {
  const float third = 1 + std::ldexp(1.0f, -7) * 0.3125f;
  const auto bits = std::bit_cast<uint32_t>(third);
  int above = 0;
  for (uint32_t random = 0; random < 0x10000; ++random)
    above += from_bf16(round_stochastic(bits, random)) > 1;
  EXPECT_EQ(above, static_cast<int>(0.3125 * 0x10000)) << "over all draws";
  EXPECT_EQ(round_stochastic(std::bit_cast<uint32_t>(1.5f), 0xffff), to_bf16(1.5f)) << "exact values stay";
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(from_bf16(round_stochastic(std::bit_cast<uint32_t>(-infinity), 0xffff)), -infinity);
  EXPECT_TRUE(std::isnan(from_bf16(round_stochastic(0x7fffffffu, 0xffff))));
  EXPECT_TRUE(std::isnan(from_bf16(round_stochastic(0x7f800001u, 0))));
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
    std::vector<BF16> narrow(x.size());
    double exact = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      store(narrow[i], x[i]);
      exact += static_cast<double>(load(narrow[i])) * load(narrow[i]);
    }
    EXPECT_EQ(sum_squares(narrow.data(), n), exact);
  }
}

}  // namespace
}  // namespace automodel::kernels
