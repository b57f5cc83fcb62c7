#include "core/tensor/random.h"

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

namespace automodel::tensor {
namespace {

TEST(FillNormal, GivesTorchsNumbersAndLeavesTheGeneratorWhereTorchDoes) {
  constexpr int64_t kMillion = 1 << 20;
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const int64_t numel : {int64_t{5}, int64_t{17}, kMillion, 3 * kMillion + 5, 4 * kMillion}) {
      at::Generator theirs = at::make_generator<at::CPUGeneratorImpl>(7);
      at::Generator ours = at::make_generator<at::CPUGeneratorImpl>(7);
      const at::Tensor expected = at::empty({numel}, dtype).normal_(0, 0.02, theirs);
      const at::Tensor value = at::empty({numel}, dtype);
      fill_normal(value, 0.02, ours);
      EXPECT_TRUE(value.equal(expected)) << numel;
      fill_normal(value, 0.02, ours);
      EXPECT_TRUE(value.equal(at::empty({numel}, dtype).normal_(0, 0.02, theirs)))
          << numel << ", second draw";
    }
  }
}

}  // namespace
}  // namespace automodel::tensor
