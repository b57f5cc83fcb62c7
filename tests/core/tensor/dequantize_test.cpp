#include "core/tensor/dequantize.h"

#include <gtest/gtest.h>

#include <ATen/ops/tensor.h>

namespace automodel::tensor {
namespace {

TEST(Dequantize, Fp8BlocksHaveTheirOwnScalesAndMayEndEarly) {
  // e4m3: 0x38 is 1, 0x40 is 2, 0xB8 is -1, 0x3C is 1.5.
  const at::Tensor bytes =
      at::tensor({0x38, 0x40, 0xB8, 0x38, 0x3C, 0x38, 0x40, 0x38, 0x38}, at::kByte).view({3, 3});
  const at::Tensor scales = at::tensor({2.0F, 10.0F, 0.5F, 100.0F}).view({2, 2});
  const at::Tensor value = from_fp8_blocks(bytes.view(at::kFloat8_e4m3fn), scales, 2, 2, at::kFloat);
  EXPECT_TRUE(
      value.equal(at::tensor({2.0F, 4.0F, -10.0F, 2.0F, 3.0F, 10.0F, 1.0F, 0.5F, 100.0F}).view({3, 3})));
}

TEST(Dequantize, Mxfp4HasTheLowHalfFirstAndAScaleForThirtyTwo) {
  // One expert, one row, two blocks: every value of e2m1 twice, times 2^1 and times 2^-2.
  std::vector<uint8_t> bytes;
  for (int block = 0; block < 2; ++block) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      for (int i = 0; i < 16; i += 2) bytes.push_back(static_cast<uint8_t>(i | (i + 1) << 4));
    }
  }
  const at::Tensor blocks = at::tensor(bytes, at::kByte).view({1, 1, 2, 16});
  const at::Tensor scales = at::tensor({128, 125}, at::kByte).view({1, 1, 2});
  const std::vector<float> e2m1 = {0, 0.5F, 1, 1.5F, 2, 3, 4, 6, -0.0F, -0.5F, -1, -1.5F, -2, -3, -4, -6};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor value = from_mxfp4(blocks, scales, type);
    ASSERT_EQ(value.sizes(), at::IntArrayRef({1, 64, 1}));
    for (int64_t i = 0; i < 64; ++i)
      EXPECT_EQ(value.view({-1})[i].item<float>(),
                e2m1[static_cast<size_t>(i % 16)] * (i < 32 ? 2.0F : 0.25F))
          << i;
  }
}

}  // namespace
}  // namespace automodel::tensor
