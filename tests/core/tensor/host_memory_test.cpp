#include "core/tensor/host_memory.h"

#include <gtest/gtest.h>

#include <ATen/ops/empty.h>

namespace automodel::tensor {
namespace {

constexpr int64_t kLarge = 5 << 20;  // floats: 20 MB

TEST(HostMemory, ZerosAreZeroAndWritable) {
  for (const int64_t numel : {int64_t{0}, int64_t{7}, kLarge + 3}) {
    at::Tensor all = zeros(numel, at::device(at::kCPU).dtype(at::kFloat));
    EXPECT_EQ(all.numel(), numel);
    EXPECT_TRUE(all.eq(0).all().item<bool>());
    all.fill_(2);
    EXPECT_TRUE(all.eq(2).all().item<bool>());
  }
}

TEST(HostMemory, AFreedLargeTensorIsReusedByOneOfItsSize) {
  keep_host_memory();
  const void* first = at::empty({kLarge}, at::kFloat).mutable_data_ptr();
  const at::Tensor again = at::empty({kLarge - 1000}, at::kFloat);
  EXPECT_EQ(again.const_data_ptr(), first);
  const at::Tensor other = at::empty({kLarge}, at::kFloat);
  EXPECT_NE(other.const_data_ptr(), first);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(other.const_data_ptr()) % 64, 0u);
}

TEST(HostMemory, ABlockMuchLargerThanAskedIsNotTaken) {
  keep_host_memory();
  const void* first = at::empty({8 * kLarge}, at::kFloat).mutable_data_ptr();
  const at::Tensor small = at::empty({2 * kLarge}, at::kFloat);
  EXPECT_NE(small.const_data_ptr(), first);
}

}  // namespace
}  // namespace automodel::tensor
