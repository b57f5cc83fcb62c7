#include "core/tensor/unit.h"

#include <gtest/gtest.h>

namespace automodel::tensor {
namespace {

TEST(Unit, EveryTensorStartsAtAMultipleOf256) {
  const Unit unit("u", {{"a", {3, 5}}, {"b", {256}}, {"c", {1}}}, {});
  for (const Parameter& parameter : unit.parameters())
    EXPECT_EQ(parameter.offset % kAlignment, 0) << parameter.name;
  EXPECT_EQ(unit.home().numel(), 3 * kAlignment);
}

TEST(Unit, AMasterCopyIsRoundedWhenGatheredAndAgainAfterAChange) {
  Unit::Options options;
  options.compute_dtype = at::kBFloat16;
  Unit unit("u", {{"a", {4}}}, options);
  unit.home(0).fill_(1.001f);
  unit.home_changed();
  unit.gather();
  EXPECT_EQ(unit.weight(0).scalar_type(), at::kBFloat16);
  EXPECT_EQ(unit.weight(0)[0].item<float>(), 1.0f);
  unit.home(0).fill_(3.0f);
  unit.gather();
  EXPECT_EQ(unit.weight(0)[0].item<float>(), 1.0f) << "not told of the change yet";
  unit.home_changed();
  unit.gather();
  EXPECT_EQ(unit.weight(0)[0].item<float>(), 3.0f);
}

TEST(Unit, GradientsThatNoOpWroteAreZeroAfterTheStep) {
  Unit unit("u", {{"a", {4}}, {"b", {4}}}, {});
  unit.begin_step();
  unit.grad(0).fill_(5);
  unit.grad(1).fill_(5);
  unit.mark_grad_written(1, 1);
  unit.finish_grads();
  EXPECT_TRUE(unit.grad(0).eq(0).all().item<bool>());
  EXPECT_TRUE(unit.grad(1).eq(5).all().item<bool>());
}

TEST(Unit, NeighboursWithoutGapsAreOneMatrix) {
  const Unit whole("u", {{"q", {2, 256}}, {"k", {1, 256}}}, {});
  EXPECT_TRUE(whole.contiguous(0, 2));
  const Unit gap("u", {{"q", {2, 100}}, {"k", {1, 100}}}, {});
  EXPECT_FALSE(gap.contiguous(0, 2));
  const Unit widths("u", {{"q", {2, 256}}, {"k", {2, 128}}}, {});
  EXPECT_FALSE(widths.contiguous(0, 2));
}

TEST(Unit, ReleasedWeightsReadNanInADebugBuild) {
  Unit::Options options;
  options.placement = Placement::kTransient;
  Unit unit("u", {{"a", {4}}}, options);
  unit.gather();
  const at::Tensor kept = unit.weight(0);
  unit.release();
  EXPECT_EQ(kept.isnan().all().item<bool>(), kDebugBuild);
}

}  // namespace
}  // namespace automodel::tensor
