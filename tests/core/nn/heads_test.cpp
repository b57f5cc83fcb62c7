#include <gtest/gtest.h>

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "core/nn/pooled_head.h"
#include "core/nn/transform.h"
#include "tests/core/nn/mixer_check.h"

namespace automodel::nn {
namespace {

constexpr int64_t kD = 6;

TEST(Transform, EveryActivationWithANormBehindIt) {
  const auto unit =
      ops::testing::random_unit({{"dense", {kD, kD}}, {"bias", {kD}}, {"norm", {kD}}, {"shift", {kD}}}, 5);
  for (const kernels::Activation activation : {kernels::Activation::kSilu,
                                               kernels::Activation::kGelu,
                                               kernels::Activation::kGeluTanh,
                                               kernels::Activation::kRelu,
                                               kernels::Activation::kRelu2,
                                               kernels::Activation::kTanh}) {
    Transform transform;
    transform.dense = {{unit.get(), 0}, {{unit.get(), 1}}, {kD}};
    transform.activation = activation;
    transform.norm = {.weight = {unit.get(), 2}, .kind = kernels::NormKind::kLayer, .bias = {unit.get(), 3}};
    ops::testing::check_gradients(
        [&](const std::vector<at::Tensor>& in, const ops::OpContext& context) {
          return transform.forward(in[0], context);
        },
        {ops::testing::random_tensor({2, 3, kD}, 7)},
        {unit.get()});
  }
}

TEST(Pool, TakesTheNamedVectorOfEachRowAndNoPadding) {
  const at::Tensor x_BTD = ops::testing::random_tensor({3, 4, kD}, 11);
  Tokens tokens;
  tokens.lengths_B = at::tensor(std::vector<int64_t>{2, 4, 1});
  const auto rows = [&](auto row) {
    return at::stack({row(x_BTD[0], 2), row(x_BTD[1], 4), row(x_BTD[2], 1)});
  };
  testing::expect_near(pool(x_BTD, arch::Pooling::kFirst, tokens), x_BTD.select(1, 0), "first");
  testing::expect_near(pool(x_BTD, arch::Pooling::kLast, tokens),
                       rows([](const at::Tensor& row, int64_t length) { return row[length - 1]; }),
                       "last");
  testing::expect_near(
      pool(x_BTD, arch::Pooling::kMean, tokens),
      rows([](const at::Tensor& row, int64_t length) { return row.narrow(0, 0, length).mean(0); }),
      "mean");
  testing::expect_near(pool(x_BTD, arch::Pooling::kMean, {}), x_BTD.mean(1), "mean of whole rows");
  for (const arch::Pooling pooling : {arch::Pooling::kFirst, arch::Pooling::kLast, arch::Pooling::kMean}) {
    ops::testing::check_gradients([&](const std::vector<at::Tensor>& in,
                                      const ops::OpContext&) { return pool(in[0], pooling, tokens); },
                                  {x_BTD},
                                  {});
  }
  EXPECT_THROW(pool(x_BTD, arch::Pooling::kLast, testing::packed_tokens()), Error);
}

TEST(Pool, LastTokenThatIsNoPadding) {
  const at::Tensor ids_BT = at::tensor({5, 9, 9, 4, 9, 9, 9, 9, 9, 5, 9, 6}, at::kLong).view({3, 4});
  const auto ends = [&](const at::Tensor& lengths_B) { return lengths_before_padding(ids_BT, lengths_B, 9); };
  EXPECT_TRUE(ends({}).equal(at::tensor({4, 1, 4}, at::kLong)));
  EXPECT_TRUE(ends(at::tensor({3, 2, 3}, at::kLong)).equal(at::tensor({1, 1, 2}, at::kLong)));
}

}  // namespace
}  // namespace automodel::nn
