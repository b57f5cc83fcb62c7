#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/kernels/bfloat16.h"
#include "core/kernels/lion.h"
#include "tests/core/kernels/cases.h"
#include "tests/core/kernels/cuda/device_buffer.h"

namespace automodel::kernels {
namespace {

using testing::DeviceBuffer;
using testing::normal;

TEST(LionCuda, IsTheCpusToTheBit) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  for (const int64_t n : testing::flat_sizes()) {
    std::vector<float> p = normal(n, 1), m(p.size());
    DeviceBuffer dp(p), dm(m);
    for (int64_t step = 1; step <= 3; ++step) {
      LionArgs args{1e-2, 0.9, 0.95, 0.1, 1};
      const std::vector<float> grad = normal(n, static_cast<unsigned>(step) + 10);
      DeviceBuffer dgrad(grad), clip(std::vector{0.37f});
      lion_cuda(Element::kFloat32,
                dp.data(),
                Element::kFloat32,
                dgrad.data(),
                dm.data(),
                n,
                args,
                clip.data(),
                nullptr);
      args.grad_scale = 0.37f;
      lion(p.data(), grad.data(), m.data(), n, args);
    }
    EXPECT_EQ(dp.read(), p) << n;
    EXPECT_EQ(dm.read(), m) << n;
  }
}

TEST(LionCuda, Bf16IsTheCpusToTheBitWhateverTheGradientsAreKeptIn) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  for (const int64_t n : testing::flat_sizes()) {
    const std::vector<float> start = normal(n, 1), grad = normal(n, 2);
    std::vector<uint16_t> narrow(start.size()), p(start.size()), m(start.size());
    std::vector<BF16> cpu_p(start.size()), cpu_m(start.size());
    for (size_t i = 0; i < start.size(); ++i) {
      p[i] = to_bf16(start[i]);
      cpu_p[i] = {p[i]};
      narrow[i] = to_bf16(grad[i]);
    }
    const LionArgs args{1e-2, 0.9, 0.99, 0.1, 0.3f};
    const auto on_device = [&](Element type, const void* gradients) {
      DeviceBuffer dp(p), dm(m);
      for (int step = 0; step < 3; ++step)
        lion_cuda(Element::kBFloat16, dp.data(), type, gradients, dm.data(), n, args, nullptr, nullptr);
      return std::vector{dp.read(), dm.read()};
    };
    DeviceBuffer wide(grad);
    DeviceBuffer rounded(narrow);
    const auto result = on_device(Element::kBFloat16, rounded.data());
    EXPECT_EQ(result, on_device(Element::kFloat32, wide.data())) << n;
    for (int step = 0; step < 3; ++step) lion(cpu_p.data(), grad.data(), cpu_m.data(), n, args);
    for (size_t i = 0; i < p.size(); ++i) {
      ASSERT_EQ(result[0][i], cpu_p[i].bits) << n << ", " << i;
      ASSERT_EQ(result[1][i], cpu_m[i].bits) << n << ", " << i;
    }
  }
}

TEST(LionCuda, ANonFiniteClipLeavesEverythingUntouched) {
  if (!testing::has_cuda_device()) GTEST_SKIP() << "no CUDA device";
  const std::vector<float> start = normal(1000, 2);
  DeviceBuffer p(start), grad(start), m(start), clip(std::vector{std::nanf("")});
  lion_cuda(Element::kFloat32,
            p.data(),
            Element::kFloat32,
            grad.data(),
            m.data(),
            1000,
            {1e-2},
            clip.data(),
            nullptr);
  EXPECT_EQ(p.read(), start);
  EXPECT_EQ(m.read(), start);
}

}  // namespace
}  // namespace automodel::kernels
