// Routing and experts against a loop over tokens written with ATen's own operators, whose gradients are
// autograd's, in float64.
#include "core/ops/moe/experts.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include "core/ops/moe/route.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::random_tensor;
using testing::random_unit;

constexpr int64_t kTokens = 40, kHidden = 6, kFfn = 5, kExperts = 4;
const kernels::ExpertGlu kWithoutGate{.activation = kernels::Activation::kRelu2, .gated = false};

std::unique_ptr<tensor::FlatParameter> expert_unit(at::ScalarType type, bool biases, int64_t parts = 2) {
  std::vector<tensor::Parameter> parameters = {{"gate_up", {kExperts, parts * kFfn, kHidden}},
                                               {"down", {kExperts, kHidden, kFfn}}};
  if (biases) {
    parameters.push_back({"gate_up_bias", {kExperts, parts * kFfn}});
    parameters.push_back({"down_bias", {kExperts, kHidden}});
  }
  tensor::FlatParameter::Options options;
  options.main_dtype = options.compute_dtype = type;
  options.grad_dtype = type == at::kDouble ? at::kDouble : at::kFloat;
  return random_unit(parameters, 31, options);
}

Experts layer_of(tensor::FlatParameter& unit,
                 const kernels::ExpertGlu& gate,
                 bool apply_router_weight_on_input) {
  Experts layer{{&unit, 0}, {&unit, 1}};
  if (unit.parameters().size() > 2) {
    layer.gate_up_bias = {&unit, 2};
    layer.down_bias = {&unit, 3};
  }
  layer.gate = gate;
  layer.apply_router_weight_on_input = apply_router_weight_on_input;
  return layer;
}

at::Tensor product_of_one(const at::Tensor& gate_up, const kernels::ExpertGlu& gate) {
  if (!gate.gated) return at::relu(gate_up).square();
  const at::Tensor g = gate_up.narrow(0, 0, kFfn), u = gate_up.narrow(0, kFfn, kFfn);
  if (gate.limit == 0) return at::silu(g) * u;
  const at::Tensor low = at::clamp(g, std::nullopt, gate.limit);
  return (at::clamp(u, -gate.limit, gate.limit) + 1) * low * at::sigmoid(low * gate.alpha);
}

/// Token by token, expert by expert. `parameters` as in the unit.
at::Tensor loop(const at::Tensor& x,
                const at::Tensor& weights,
                const at::Tensor& choice,
                const std::vector<at::Tensor>& parameters,
                const Experts& layer) {
  std::vector<at::Tensor> rows;
  for (int64_t t = 0; t < x.size(0); ++t) {
    at::Tensor sum = at::zeros_like(x[t]);
    for (int64_t j = 0; j < choice.size(1); ++j) {
      const int64_t e = choice[t][j].item<int64_t>();
      const at::Tensor w = weights[t][j];
      at::Tensor gate_up = at::mv(parameters[0][e], layer.apply_router_weight_on_input ? w * x[t] : x[t]);
      if (layer.gate_up_bias) gate_up = gate_up + parameters[2][e];
      at::Tensor y = at::mv(parameters[1][e], product_of_one(gate_up, layer.gate));
      if (layer.down_bias) y = y + parameters[3][e];
      sum = sum + (layer.apply_router_weight_on_input ? y : w * y);
    }
    rows.push_back(sum);
  }
  return at::stack(rows);
}

/// Three of the four experts have tokens.
at::Tensor some_choice() {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const at::Tensor first = at::empty({kTokens}, at::kLong).random_(0, 2, generator);
  return at::stack({first, first + 1}, 1);
}

void check_against_loop(const kernels::ExpertGlu& gate, bool biases, bool apply_router_weight_on_input) {
  const auto unit = expert_unit(at::kDouble, biases, gate.parts());
  const Experts layer = layer_of(*unit, gate, apply_router_weight_on_input);
  const at::Tensor choice = some_choice();
  const at::Tensor x = random_tensor({kTokens, kHidden}, 6).requires_grad_();
  const at::Tensor weights = random_tensor({kTokens, 2}, 7).requires_grad_();
  const at::Tensor c = random_tensor({kTokens, kHidden}, 8);

  std::vector<at::Tensor> parameters;
  for (size_t i = 0; i < unit->parameters().size(); ++i)
    parameters.push_back(unit->main_weight(i).clone().requires_grad_());
  const at::Tensor expected = loop(x, weights, choice, parameters, layer);
  torch::autograd::backward({expected}, {c});
  const at::Tensor dx = x.grad().clone(), dweights = weights.grad().clone();

  for (const bool cheap : {true, false}) {
    GradSink sink;
    unit->begin_step();
    x.mutable_grad().reset();
    weights.mutable_grad().reset();
    const at::Tensor y = experts(x, weights, make_groups(choice, kExperts), layer, {&sink, cheap});
    torch::autograd::backward({y}, {c});
    const auto close = [](const at::Tensor& a, const at::Tensor& b) {
      return at::allclose(a, b, 1e-10, 1e-10);
    };
    EXPECT_TRUE(close(y, expected));
    EXPECT_TRUE(close(x.grad(), dx));
    EXPECT_TRUE(close(weights.grad(), dweights));
    for (size_t i = 0; i < parameters.size(); ++i) {
      ASSERT_TRUE(unit->grad_written(i));
      EXPECT_TRUE(close(unit->grad(i), parameters[i].grad())) << unit->parameters()[i].name;
      EXPECT_EQ(unit->grad(i)[3].abs().max().item<double>(), 0) << "an expert without tokens";
    }
  }
}

TEST(Experts, GradientsEqualFiniteDifferences) {
  for (const kernels::ExpertGlu& gate :
       {kernels::ExpertGlu{}, kernels::ExpertGlu{.limit = 0.7}, kWithoutGate}) {
    const auto unit = expert_unit(at::kDouble, true, gate.parts());
    const Experts layer = layer_of(*unit, gate, false);
    const Groups groups = make_groups(some_choice(), kExperts);
    testing::check_gradients([&](const std::vector<at::Tensor>& in,
                                 const OpContext& c) { return experts(in[0], in[1], groups, layer, c); },
                             {random_tensor({kTokens, kHidden}, 6), random_tensor({kTokens, 2}, 7)},
                             {unit.get()});
  }
}

TEST(Experts, EqualALoopOverTokens) {
  check_against_loop({}, false, false);
}

TEST(Experts, EqualALoopOverTokensWithBiasesAndAClampedGate) {
  check_against_loop({kernels::Activation::kSilu, 0.7, 1.702}, true, false);
}

TEST(Experts, EqualALoopOverTokensWithoutAGate) {
  check_against_loop(kWithoutGate, false, false);
  check_against_loop(kWithoutGate, true, true);
}

TEST(Experts, EqualALoopOverTokensWithWeightedInputs) {
  check_against_loop({}, false, true);
  check_against_loop({}, true, true);
}

TEST(Experts, GradientsOfASecondMicroBatchAreAdded) {
  const auto unit = expert_unit(at::kFloat, true);
  const Experts layer = layer_of(*unit, {}, false);
  const at::Tensor x = random_tensor({kTokens, kHidden}, 6).to(at::kFloat).requires_grad_();
  const at::Tensor weights = random_tensor({kTokens, 2}, 7).to(at::kFloat);
  std::vector<at::Tensor> once;
  for (const bool later : {false, true}) {
    GradSink sink(later ? GradSink::When::kLater : GradSink::When::kNow);
    unit->begin_step();
    for (int i = 0; i < 2; ++i) {
      const at::Tensor y = experts(x, weights, make_groups(some_choice(), kExperts), layer, {&sink});
      torch::autograd::backward({y.sum()});
      if (i == 0 && !later) {
        for (size_t p = 0; p < unit->parameters().size(); ++p) once.push_back(unit->grad(p).clone());
      }
    }
    sink.run_deferred();
    for (size_t p = 0; p < once.size(); ++p)
      EXPECT_TRUE(at::allclose(unit->grad(p), 2 * once[p], 1e-6, 1e-6)) << p;
  }
}

TEST(Experts, InBfloat16AreWithinItsPrecision) {
  const auto narrow = expert_unit(at::kBFloat16, true);
  const auto wide = expert_unit(at::kFloat, true);
  for (size_t i = 0; i < wide->parameters().size(); ++i) wide->main_weight(i).copy_(narrow->main_weight(i));
  const at::Tensor x = random_tensor({kTokens, kHidden}, 6).to(at::kBFloat16);
  const at::Tensor weights = random_tensor({kTokens, 2}, 7).to(at::kFloat);
  const Groups groups = make_groups(some_choice(), kExperts);
  std::vector<at::Tensor> dx;
  for (tensor::FlatParameter* unit : {narrow.get(), wide.get()}) {
    GradSink sink;
    const at::Tensor leaf = x.to(unit->options().compute_dtype, false, /*copy=*/true).requires_grad_();
    const at::Tensor y = experts(leaf, weights, groups, layer_of(*unit, {}, false), {&sink});
    torch::autograd::backward({y.to(at::kFloat).square().sum()});
    dx.push_back(leaf.grad().to(at::kFloat));
  }
  const double scale = dx[1].abs().max().item<double>();
  EXPECT_LT((dx[0] - dx[1]).abs().max().item<double>(), 0.03 * scale);
  for (size_t i = 0; i < wide->parameters().size(); ++i) {
    const double largest = wide->grad(i).abs().max().item<double>();
    EXPECT_LT((narrow->grad(i) - wide->grad(i)).abs().max().item<double>(), 0.03 * largest) << i;
  }
}

TEST(Groups, AreStableAndInverse) {
  const at::Tensor choice = some_choice();
  const Groups groups = make_groups(choice, kExperts);
  EXPECT_EQ(groups.host_ends.back(), 2 * kTokens);
  EXPECT_EQ(groups.host_ends[2], groups.host_ends[3]);
  const at::Tensor of_slot = choice.reshape({-1}).index_select(0, groups.order);
  EXPECT_TRUE(of_slot.equal(groups.expert_of_slot()));
  EXPECT_TRUE(groups.order.index_select(0, groups.slots.reshape({-1})).equal(at::arange(2 * kTokens)));
  for (int64_t s = 1; s < 2 * kTokens; ++s) {
    if (of_slot[s].equal(of_slot[s - 1])) {
      EXPECT_LT(groups.order[s - 1].item<int64_t>(), groups.order[s].item<int64_t>());
    }
  }
}

}  // namespace
}  // namespace automodel::ops
