#include "core/ops/dropout.h"

#include <gtest/gtest.h>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>

namespace automodel::ops {
namespace {

const at::Tensor& like() {
  static const at::Tensor kLike = at::empty({0}, at::kFloat);
  return kLike;
}

TEST(Dropout, DropsTheShareAskedForAndScalesTheRest) {
  const at::Tensor mask = dropout_mask(dropout_keys(1, 2, {3, 4, 5}, 500), 6, 700, 0.1, like());
  const double dropped = mask.eq(0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(dropped, 0.1, 3e-4 * 5);  // five standard deviations of 1.05 million draws
  EXPECT_EQ(mask.max().item<float>(), static_cast<float>(1 / 0.9));
  EXPECT_NEAR(mask.to(at::kDouble).mean().item<double>(), 1.0, 2e-3);
}

TEST(Dropout, DoesNotDependOnHowRowsAreBatched) {
  const at::Tensor together = dropout_mask(dropout_keys(1, 2, {30, 40}, 6), 6, 9, 0.5, like());
  const at::Tensor alone = dropout_mask(dropout_keys(1, 2, {40}, 6), 6, 9, 0.5, like());
  EXPECT_TRUE(at::equal(together.narrow(0, 6, 6), alone));
  const at::Tensor shorter = dropout_mask(dropout_keys(1, 2, {40}, 4), 6, 9, 0.5, like());
  EXPECT_TRUE(at::equal(alone.narrow(0, 0, 4), shorter));
}

TEST(Dropout, EveryPartOfTheKeyCounts) {
  const auto mask = [](uint64_t seed, int64_t step, int64_t row, uint64_t site) {
    return dropout_mask(dropout_keys(seed, step, {row}, 20), site, 50, 0.5, like());
  };
  const at::Tensor base = mask(1, 2, 3, 4);
  for (const at::Tensor& other : {mask(9, 2, 3, 4), mask(1, 9, 3, 4), mask(1, 2, 9, 4), mask(1, 2, 3, 9)}) {
    const double same = base.eq(other).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(same, 0.5, 0.1);  // as two independent draws
  }
}

TEST(Dropout, LoopsAndOperatorsDrawTheSame) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor like = at::empty({0}, type);
    const at::Tensor keys = dropout_keys(1, 2, {3, -4, 1000000}, 77);
    EXPECT_TRUE(at::equal(dropout_mask(keys, ~uint64_t{5}, 131, 0.3, like),
                          dropout_mask_by_operators(keys, ~uint64_t{5}, 131, 0.3, like)));
  }
}

TEST(Dropout, ZeroKeepsEverything) {
  EXPECT_EQ(dropout_mask(dropout_keys(1, 2, {3}, 4), 5, 6, 0.0, like()).sum().item<float>(), 24.0f);
}

}  // namespace
}  // namespace automodel::ops
