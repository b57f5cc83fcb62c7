#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/kernels/adamw.h"
#include "core/kernels/bfloat16.h"
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
        const RoundingKey key(5, step, 2);
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
