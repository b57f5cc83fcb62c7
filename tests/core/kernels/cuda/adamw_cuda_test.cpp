#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "core/kernels/adamw.h"
#include "core/kernels/bfloat16.h"
#include "core/kernels/sum_squares.h"
#include "tests/core/kernels/cases.h"
#include "tests/core/kernels/cuda/device_buffer.h"

namespace automodel::kernels {
namespace {

using testing::DeviceBuffer;
using testing::normal;

TEST(AdamWCuda, AgreesWithTheReferenceOverSteps) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  for (const bool decoupled : {true, false}) {
    for (const int64_t n : testing::flat_sizes()) {
      std::vector<float> p = normal(n, 1), m(p.size()), v(p.size());
      DeviceBuffer dp(p), dm(m), dv(v);
      for (int64_t step = 1; step <= 3; ++step) {
        const AdamWArgs args{1e-2, 0.9, 0.95, 1e-8, 0.1, decoupled, step, 0.5f};
        const std::vector<float> grad = normal(n, static_cast<unsigned>(step) + 10);
        DeviceBuffer dgrad(grad);
        adamw_f32(p.data(), grad.data(), m.data(), v.data(), n, args);
        adamw_f32_cuda(dp.data(), dgrad.data(), dm.data(), dv.data(), n, args, nullptr, nullptr);
      }
      const std::vector<float> on_device = dp.read();
      for (size_t i = 0; i < p.size(); ++i)
        ASSERT_NEAR(on_device[i], p[i], 2e-6) << n << " elements, at " << i;
    }
  }
}

TEST(AdamWCuda, StochasticRoundingIsTheCpusToTheBit) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  for (const bool decoupled : {true, false}) {
    for (const int64_t n : testing::flat_sizes()) {
      const std::vector<float> start = normal(n, 1);
      std::vector<uint16_t> p(start.size()), m(start.size()), v(start.size());
      for (size_t i = 0; i < p.size(); ++i) p[i] = to_bf16(start[i]);
      DeviceBuffer dp(p), dm(m), dv(v);
      for (int64_t step = 1; step <= 3; ++step) {
        AdamWArgs args{1e-3, 0.9, 0.95, 1e-8, 0.1, decoupled, step, 1};
        const RoundingKey key(5, step, "w");
        const std::vector<float> grad = normal(n, static_cast<unsigned>(step) + 10);
        DeviceBuffer dgrad(grad), clip(std::vector{0.37f});
        adamw_bf16_stochastic_cuda(
            dp.data(), dgrad.data(), dm.data(), dv.data(), n, args, key, clip.data(), nullptr);
        args.grad_scale = 0.37f;
        adamw_bf16_stochastic(p.data(), grad.data(), m.data(), v.data(), n, args, key);
      }
      EXPECT_EQ(dp.read(), p) << n;
      EXPECT_EQ(dm.read(), m) << n;
      EXPECT_EQ(dv.read(), v) << n;
    }
  }
}

TEST(AdamWCuda, Bf16GradientsGiveWhatRoundedFloatOnesGive) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  for (const int64_t n : testing::flat_sizes()) {
    const std::vector<float> start = normal(n, 1), grad = normal(n, 2);
    std::vector<uint16_t> p(start.size()), narrow(start.size());
    for (size_t i = 0; i < p.size(); ++i) {
      p[i] = to_bf16(start[i]);
      narrow[i] = to_bf16(grad[i]);
    }
    const std::vector<uint16_t> zeros(p.size());
    const AdamWArgs args{1e-2, 0.9, 0.95, 1e-8, 0.1, true, 1, 0.3f};
    const auto update = [&](Element type, const void* gradients) {
      DeviceBuffer dp(p), dm(zeros), dv(zeros);
      adamw_bf16_cuda(dp.data(), type, gradients, dm.data(), dv.data(), n, args, nullptr, nullptr);
      return std::vector{dp.read(), dm.read(), dv.read()};
    };
    DeviceBuffer wide(grad);
    DeviceBuffer rounded(narrow);
    const auto on_device = update(Element::kBFloat16, rounded.data());
    EXPECT_EQ(on_device, update(Element::kFloat32, wide.data())) << n;
    std::vector<uint16_t> m = zeros, v = zeros;
    adamw_bf16(p.data(), grad.data(), m.data(), v.data(), n, args);
    for (size_t i = 0; i < p.size(); ++i) {
      ASSERT_NEAR(from_bf16(on_device[0][i]), from_bf16(p[i]), std::abs(from_bf16(p[i])) / 128 + 1e-9)
          << n << ", " << i;
    }
  }
}

TEST(SumSquaresCuda, AgreesWithTheReferenceInBothTypes) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  const auto total = [](Element type, const void* x, int64_t n) {
    DeviceBuffer parts(std::vector<double>(static_cast<size_t>(kSumSquaresParts)));
    sum_squares_cuda(type, x, n, parts.data(), nullptr);
    const std::vector<double> read = parts.read();
    return std::accumulate(read.begin(), read.end(), 0.0);
  };
  for (const int64_t n : testing::flat_sizes()) {
    const std::vector<float> wide = normal(n, 3);
    std::vector<BF16> narrow(wide.size());
    for (size_t i = 0; i < wide.size(); ++i) store(narrow[i], wide[i]);
    DeviceBuffer dwide(wide);
    DeviceBuffer dnarrow(narrow);
    const double of_wide = sum_squares(wide.data(), n), of_narrow = sum_squares(narrow.data(), n);
    EXPECT_NEAR(total(Element::kFloat32, dwide.data(), n), of_wide, 1e-12 * of_wide) << n;
    EXPECT_NEAR(total(Element::kBFloat16, dnarrow.data(), n), of_narrow, 1e-12 * of_narrow) << n;
  }
}

TEST(AdamWCuda, ANonFiniteClipLeavesEverythingUntouched) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  const std::vector<float> start = normal(1000, 2);
  DeviceBuffer p(start), grad(start), m(start), v(start), clip(std::vector{std::nanf("")});
  adamw_f32_cuda(p.data(), grad.data(), m.data(), v.data(), 1000, {1e-2}, clip.data(), nullptr);
  EXPECT_EQ(p.read(), start);
  EXPECT_EQ(m.read(), start);
}

}  // namespace
}  // namespace automodel::kernels
