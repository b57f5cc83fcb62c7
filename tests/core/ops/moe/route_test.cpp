// Every kind of router: the choice and weights against the same formula written with ATen's operators, whose
// gradients are autograd's, in float64.
#include "core/ops/moe/route.h"

#include <limits>

#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>

#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using kernels::GroupScore;
using kernels::RouterConfig;
using kernels::RouterScore;
using testing::random_tensor;
using testing::random_unit;

struct Expected {
  at::Tensor experts, weights;
};

/// As the routers of transformers are written.
Expected by_operators(const at::Tensor& logits, const at::Tensor& score_bias, const RouterConfig& config) {
  at::Tensor scores = config.score == RouterScore::kSigmoid ? at::sigmoid(logits) : at::softmax(logits, 1);
  if (config.score == RouterScore::kSoftmaxOfChosen) {
    const auto [chosen, experts] = logits.topk(config.top_k, 1);
    return {experts, at::softmax(chosen, 1)};
  }
  at::Tensor choice = scores.detach();
  if (score_bias.defined()) choice = choice + score_bias;
  if (config.n_group > 1) {
    const int64_t size = config.num_experts / config.n_group;
    const at::Tensor grouped = choice.view({-1, config.n_group, size});
    const int64_t best = config.group_score == GroupScore::kBest ? 1 : 2;
    const at::Tensor kept =
        std::get<1>(std::get<0>(grouped.topk(best, 2)).sum({2}).topk(config.topk_group, 1));
    const at::Tensor index = kept.unsqueeze(2).expand({-1, -1, size});
    at::Tensor masked =
        at::full(grouped.sizes(), -std::numeric_limits<double>::infinity(), grouped.options());
    masked.scatter_(1, index, grouped.gather(1, index));
    choice = masked.view(choice.sizes());
  }
  const at::Tensor experts = std::get<1>(choice.topk(config.top_k, 1));
  at::Tensor weights = scores.gather(1, experts);
  if (config.norm_topk_prob) {
    at::Tensor sum = weights.sum({1}, true) + config.normalize_eps;
    if (config.normalize_min > 0) sum = sum.clamp_min(config.normalize_min);
    weights = weights / sum;
  }
  return {experts, weights * config.scale};
}

void check(const RouterConfig& config) {
  const at::Tensor leaf = random_tensor({33, config.num_experts}, 3).requires_grad_();
  const at::Tensor score_bias =
      config.score_bias ? random_tensor({config.num_experts}, 4).to(at::kFloat) : at::Tensor();
  const at::Tensor c = random_tensor({33, config.top_k}, 5);
  const Expected expected = by_operators(leaf, score_bias, config);
  torch::autograd::backward({expected.weights}, {c});
  const at::Tensor dlogits = leaf.grad().clone();
  leaf.mutable_grad().reset();
  const Routing routing = route(leaf, score_bias, config);
  torch::autograd::backward({routing.weights}, {c});
  EXPECT_TRUE(routing.experts.equal(expected.experts));
  EXPECT_TRUE(at::allclose(routing.weights, expected.weights, 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(leaf.grad(), dlogits, 1e-12, 1e-12));
  testing::check_gradients([&](const std::vector<at::Tensor>& in,
                               const OpContext&) { return route(in[0], score_bias, config).weights; },
                           {leaf.detach()},
                           {});
}

RouterConfig base(RouterScore score) {
  RouterConfig config;
  config.num_experts = 12;
  config.top_k = 3;
  config.score = score;
  return config;
}

TEST(Route, SoftmaxOverAll) {
  RouterConfig config = base(RouterScore::kSoftmax);
  check(config);
  config.norm_topk_prob = true;
  check(config);
  config.score_bias = true;
  config.normalize_min = 0.3;
  check(config);
}

TEST(Route, SoftmaxOfTheChosen) {
  check(base(RouterScore::kSoftmaxOfChosen));
}

TEST(Route, SigmoidWithCorrectionGroupsAndScale) {
  RouterConfig config = base(RouterScore::kSigmoid);
  check(config);
  config.score_bias = true;
  config.norm_topk_prob = true;
  config.normalize_eps = 1e-20;
  config.scale = 2.5;
  check(config);
  config.n_group = 4;
  config.topk_group = 2;
  config.group_score = GroupScore::kBestTwo;
  check(config);
}

TEST(Route, SoftmaxWithinTheBestGroups) {
  RouterConfig config = base(RouterScore::kSoftmax);
  config.n_group = 3;
  config.topk_group = 2;
  config.scale = 16;
  check(config);
}

TEST(Route, RefusesMoreExpertsThanItsGroupsHold) {
  RouterConfig config = base(RouterScore::kSoftmax);
  config.n_group = 6;
  config.topk_group = 1;
  EXPECT_THROW(route(random_tensor({2, 12}, 1), {}, config), Error);
}

TEST(RouterLogits, InFloat32FromBfloat16) {
  tensor::FlatParameter::Options options;
  options.main_dtype = options.compute_dtype = at::kBFloat16;
  const auto unit = random_unit({{"w", {12, 16}}, {"b", {12}}}, 9, options);
  const Linear layer{{unit.get(), 0}, {{unit.get(), 1}}, {12}};
  GradSink sink;
  const at::Tensor leaf = random_tensor({5, 16}, 2).to(at::kBFloat16).requires_grad_();
  const at::Tensor c = random_tensor({5, 12}, 6).to(at::kFloat);
  const at::Tensor logits = router_logits(leaf, layer, true, {&sink});
  ASSERT_EQ(logits.scalar_type(), at::kFloat);
  torch::autograd::backward({logits}, {c});

  const at::Tensor x = leaf.detach().to(at::kFloat).requires_grad_();
  const at::Tensor w = unit->main_weight(0).to(at::kFloat).requires_grad_();
  const at::Tensor expected = x.matmul(w.t()) + unit->main_weight(1).to(at::kFloat);
  torch::autograd::backward({expected}, {c});
  EXPECT_TRUE(at::allclose(logits, expected, 1e-6, 1e-6));
  EXPECT_TRUE(at::allclose(unit->grad(0), w.grad(), 1e-6, 1e-6));
  EXPECT_TRUE(at::allclose(unit->grad(1), c.sum({0}), 1e-6, 1e-6));
  EXPECT_TRUE(leaf.grad().equal(x.grad().to(at::kBFloat16)));
}

}  // namespace
}  // namespace automodel::ops
