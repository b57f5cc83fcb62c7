#include "core/nn/moe.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/ops/rms_norm.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::nn {
namespace {

using ops::testing::random_tensor;

constexpr int64_t kHidden = 6, kFfn = 5, kExperts = 4, kShared = 3;

struct Built {
  std::unique_ptr<tensor::FlatParameter> unit;
  Moe moe;
};

Built build(double aux_loss_coef) {
  Built built;
  built.unit = ops::testing::random_unit({{"gate_up", {kExperts, 2 * kFfn, kHidden}},
                                          {"down", {kExperts, kHidden, kFfn}},
                                          {"router", {kExperts, kHidden}},
                                          {"norm", {kHidden}},
                                          {"shared_gate_up", {2 * kShared, kHidden}},
                                          {"shared_down", {kHidden, kShared}},
                                          {"shared_gate", {1, kHidden}}},
                                         21);
  tensor::FlatParameter* unit = built.unit.get();
  Moe& moe = built.moe;
  moe.config.router.num_experts = kExperts;
  moe.config.router.top_k = 2;
  moe.config.router.norm_topk_prob = true;
  moe.config.shared_intermediate_size = kShared;
  moe.config.shared_gate = true;
  moe.config.aux_loss_coef = aux_loss_coef;
  moe.experts = {{unit, 0}, {unit, 1}};
  moe.router = {{unit, 2}, {}, {kExperts}};
  moe.input_norm = {{unit, 3}, 1e-6};
  moe.shared_gate_up = {{unit, 4}, {}, {2 * kShared}};
  moe.shared_down = {{unit, 5}, {}, {kHidden}};
  moe.shared_gate = {{unit, 6}, {}, {1}};
  return built;
}

TEST(Moe, TokensGoToExpertsInTurnWithoutARouter) {
  Built built = build(0);
  built.moe.config.balanced_gate = true;
  const Tokens tokens;
  RouterStats stats;
  ops::testing::check_gradients(
      [&](const std::vector<at::Tensor>& in, const ops::OpContext& context) {
        return built.moe.forward(in[0], {context, tokens, nullptr, &stats});
      },
      {random_tensor({2, 3, kHidden}, 41)},
      {});
  // 6 tokens take 12 places of 4 experts.
  EXPECT_TRUE(stats.tokens_per_expert_E.equal(at::tensor({3.0F, 3.0F, 3.0F, 3.0F})));
  EXPECT_FALSE(stats.probabilities_E.defined());
}

TEST(Moe, GradientsEqualFiniteDifferences) {
  const Built built = build(0);
  const Tokens tokens;
  ops::testing::check_gradients(
      [&](const std::vector<at::Tensor>& in, const ops::OpContext& context) {
        return built.moe.forward(in[0], {context, tokens});
      },
      {random_tensor({2, 5, kHidden}, 22)},
      {built.unit.get()});
}

TEST(Moe, GradientsOfTheLoadBalancingLossEqualFiniteDifferences) {
  const Built built = build(1);
  const Tokens tokens{at::tensor({0, 0, 0, -1, -1, 0, 0, 1, 1, 1}, at::kInt).view({2, 5}), {}};
  const auto loss = [&](const std::vector<at::Tensor>& in, const ops::OpContext& context) {
    RouterStats stats;
    at::Tensor x = in[0];
    for (int layer = 0; layer < 2; ++layer) x = built.moe.forward(x, {context, tokens, nullptr, &stats});
    // The other parameters of the layers must have gradients too.
    return load_balancing_loss(stats) + 1e-3 * x.square().sum();
  };
  ops::testing::check_gradients(loss, {random_tensor({2, 5, kHidden}, 23)}, {built.unit.get()});
}

TEST(Moe, LoadBalancingLossCountsEveryLayerAndNoPadding) {
  const Built built = build(1);
  tensor::FlatParameter& unit = *built.unit;
  ops::GradSink sink;
  const Tokens tokens{at::tensor({0, 0, 0, -1, -1, 0, 0, 0, 0, 0}, at::kInt).view({2, 5}), {}};
  const std::vector<at::Tensor> inputs = {random_tensor({2, 5, kHidden}, 24),
                                          random_tensor({2, 5, kHidden}, 25)};
  RouterStats stats;
  at::Tensor choices = at::zeros({kExperts}, at::kDouble), sums = at::zeros({kExperts}, at::kDouble);
  for (const at::Tensor& x : inputs) {
    const at::Tensor y = built.moe.forward(x, {{&sink}, tokens, nullptr, &stats});
    const at::Tensor normed = x / (x.square().mean(-1, true) + 1e-6).sqrt() * unit.main_weight(3);
    const at::Tensor rows =
        normed.view({10, kHidden}).index_select(0, at::tensor({0, 1, 2, 5, 6, 7, 8, 9}, at::kLong));
    const at::Tensor p = at::softmax(at::linear(rows, unit.main_weight(2)), 1);
    sums += p.sum({0});
    const at::Tensor best = std::get<1>(p.topk(2, 1)).reshape({-1, 1});
    choices += best.eq(at::arange(kExperts)).sum({0});
  }
  const double expected = (choices / 16 * sums / 16).sum().item<double>() * kExperts;
  EXPECT_NEAR(load_balancing_loss(stats).item<double>(), expected, 1e-5);
  EXPECT_EQ(stats.tokens_per_expert_E.sum().item<double>(), 16);
}

TEST(Moe, CorrectionMovesTowardsExpertsWithLessLoad) {
  at::Tensor score_bias = at::zeros({3}, at::kFloat);
  update_score_bias(score_bias, at::tensor({1.0f, 2.0f, 6.0f}), 0.5);
  EXPECT_TRUE(score_bias.equal(at::tensor({0.5f, 0.5f, -0.5f})));
}

}  // namespace
}  // namespace automodel::nn
