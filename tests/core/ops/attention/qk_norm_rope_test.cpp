#include "core/ops/attention/qk_norm_rope.h"

#include <gtest/gtest.h>

#include "tests/core/ops/attention/qk_norm_rope_case.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::QkNormRopeCase;

TEST(QkNormRope, GradientsAreSlopes) {
  for (const QkNormRopeCase& heads :
       {QkNormRopeCase{3, 2, 6, 6},
        QkNormRopeCase{.q_heads = 2, .kv_heads = 1, .head_dim = 8, .rotary_dim = 4, .offset = 1},
        QkNormRopeCase{2, 2, 6, 6, 0, true}}) {
    const auto unit = testing::random_unit(heads.parameters(), 3);
    testing::check_gradients([&](const std::vector<at::Tensor>& in,
                                 const OpContext& c) { return heads.in_one_pass(in[0], unit.get(), c); },
                             {testing::random_tensor({2, 5, heads.width()}, 4)},
                             {unit.get()});
  }
}

TEST(QkNormRope, IsTheNormsAndTheRotationOneByOne) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const double offset : {0.0, 1.0}) {
      testing::expect_as_one_by_one({.offset = offset}, at::kCPU, dtype);
      testing::expect_as_one_by_one({3, 1, 20, 8, offset, true}, at::kCPU, dtype);
    }
  }
}

TEST(QkNormRope, SaysWhatItCannotDo) {
  const QkNormRopeCase heads;
  const auto unit = testing::random_unit(heads.parameters(), 3);
  const at::Tensor x = testing::random_tensor({1, 5, heads.width()}, 1);
  Norm with_bias = heads.norm(unit.get(), 0);
  EXPECT_TRUE(can_norm_and_rotate(x, 2, 64, with_bias, heads.norm(unit.get(), 1), heads.angles(x)));
  with_bias.bias = with_bias.weight;
  EXPECT_FALSE(can_norm_and_rotate(x, 2, 64, with_bias, heads.norm(unit.get(), 1), heads.angles(x)));
  const RopeAngles longer = heads.angles(testing::random_tensor({1, 6, 4}, 1));
  EXPECT_THROW(qk_norm_rope(x, 2, 64, heads.norm(unit.get(), 0), heads.norm(unit.get(), 1), longer, {}),
               Error);
}

}  // namespace
}  // namespace automodel::ops
