#include "core/ops/lora.h"

#include <vector>

#include <gtest/gtest.h>

#include <ATen/ops/cat.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/ops/dropout.h"
#include "core/ops/linear_cross_entropy.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::expect_slopes;
using testing::random_tensor;
using testing::random_unit;

constexpr int64_t kIn = 16, kRank = 4;

/// q, k, v of widths 6, 3, 5 applied as one; q and v have adapters.
struct Layer {
  std::unique_ptr<tensor::FlatParameter> base, adapters;
  Linear linear;

  explicit Layer(double dropout = 0, bool dropout_first = false) {
    tensor::FlatParameter::Options frozen = testing::float64_unit();
    frozen.trainable = false;
    base = random_unit(
        {{"q", {6, kIn}}, {"k", {3, kIn}}, {"v", {5, kIn}}, {"bias", {5}}, {"norm", {kIn}}}, 1, frozen);
    adapters =
        random_unit({{"qa", {kRank, kIn}}, {"va", {kRank, kIn}}, {"qb", {6, kRank}}, {"vb", {5, kRank}}}, 2);
    Lora lora;
    lora.a.weight = {adapters.get(), 0, 2};
    lora.a.out_features = {kRank, kRank};
    lora.parts = {{{adapters.get(), 2}, 0, 11}, {{adapters.get(), 3}, 9, 12}};
    lora.scale = 0.7;
    lora.dropout = dropout;
    lora.dropout_first = dropout_first;
    linear.weight = {base.get(), 0, 3};
    linear.bias = {{}, {}, {base.get(), 3}};
    linear.out_features = {6, 3, 5};
    linear.lora = std::make_shared<const Lora>(lora);
  }

  /// The same by plain operators that autograd knows; `leaves` are qa, va, qb, vb.
  at::Tensor plain(const at::Tensor& x, const std::vector<at::Tensor>& leaves, const at::Tensor& keys) const {
    const Lora& lora = *linear.lora;
    const auto part = [&](const char*, size_t base_index, size_t i, uint64_t site) {
      const at::Tensor w = base->main_weight(base_index);
      const auto mask = [&](int64_t width) {
        return keys.defined() && lora.dropout > 0 ? dropout_mask(keys, site, width, lora.dropout, x)
                                                  : at::ones({x.size(0), width});
      };
      const at::Tensor in = lora.dropout_first ? x * mask(kIn) : x;
      const at::Tensor update = at::mm(at::mm(in, leaves[i].t()), leaves[i + 2].t()) * lora.scale;
      return at::mm(x, w.t()) + (lora.dropout_first ? update : update * mask(w.size(0)));
    };
    return at::cat({part("q", 0, 0, 11),
                    at::mm(x, base->main_weight(1).t()),
                    part("v", 2, 1, 12) + base->main_weight(3)},
                   1);
  }

  std::vector<at::Tensor> leaves() const {
    std::vector<at::Tensor> copies;
    for (size_t i = 0; i < 4; ++i) copies.push_back(adapters->main_weight(i).clone().requires_grad_());
    return copies;
  }
};

void expect_equal(const at::Tensor& ours, const at::Tensor& theirs, const char* what) {
  EXPECT_LT((ours - theirs).abs().max().item<double>(), 1e-13) << what;
}

TEST(Lora, PartsOfOneGemmEqualPlainOperatorsAndTheirGradients) {
  for (const double dropout : {0.0, 0.3}) {
    for (const bool first : {false, true}) {
      const Layer layer(dropout, first);
      GradSink sink;
      const at::Tensor keys = dropout > 0 ? dropout_keys(3, 5, {8, 2}, 4) : at::Tensor();
      const OpContext context{&sink, true, keys};
      const at::Tensor x = random_tensor({8, kIn}, 3);
      const at::Tensor c = random_tensor({8, 14}, 4);

      const at::Tensor ours_x = x.clone().requires_grad_(), their_x = x.clone().requires_grad_();
      const std::vector<at::Tensor> leaves = layer.leaves();
      const at::Tensor ours = linear(ours_x, layer.linear, context);
      const at::Tensor theirs = layer.plain(their_x, leaves, keys);
      expect_equal(ours, theirs, "y");
      torch::autograd::backward({ours}, {c});
      torch::autograd::backward({theirs}, {c});
      expect_equal(ours_x.grad(), their_x.grad(), "dx");
      for (size_t i = 0; i < 4; ++i)
        expect_equal(layer.adapters->grad(i), leaves[i].grad(), layer.adapters->parameters()[i].name.c_str());
      EXPECT_FALSE(layer.base->grads().defined());
    }
  }
}

TEST(Lora, AfterANormAndAGateEqualsFiniteDifferences) {
  const Layer layer;
  const Norm norm{{layer.base.get(), 4}, 1e-6};
  GradSink sink;
  const OpContext context{&sink, true};
  const at::Tensor x = random_tensor({5, kIn}, 5);
  const at::Tensor c = random_tensor({5, 14}, 6);
  const auto value = [&] {
    c10::NoGradGuard no_grad;
    return (norm_linear(x, norm, layer.linear, context) * c).sum().item<double>();
  };
  const at::Tensor leaf = x.clone().requires_grad_();
  torch::autograd::backward({norm_linear(leaf, norm, layer.linear, context)}, {c});
  expect_slopes(value, x, leaf.grad(), "dx");
  for (size_t i = 0; i < 4; ++i)
    expect_slopes(value, layer.adapters->main_weight(i), layer.adapters->grad(i), "adapter");
}

TEST(Lora, OnTheHeadEqualsFiniteDifferences) {
  const Layer layer;
  const at::Tensor x = random_tensor({7, kIn}, 7);
  at::Tensor labels = at::empty({7}, at::kLong);
  for (int64_t i = 0; i < 7; ++i) labels[i].fill_(i == 3 ? -100 : i);
  Linear head;
  head.weight = {layer.base.get(), 0};
  head.out_features = {6};
  labels.clamp_max_(5);
  Lora lora;
  lora.a.weight = {layer.adapters.get(), 0};
  lora.a.out_features = {kRank};
  lora.parts = {{{layer.adapters.get(), 2}, 0, 0}};
  head.lora = std::make_shared<const Lora>(lora);
  GradSink sink;
  const OpContext context{&sink, true};
  const auto loss = [&](const at::Tensor& at) {
    return linear_cross_entropy(at, labels, head, {1.0, -100, 3}, context);
  };
  const auto value = [&] {
    c10::NoGradGuard no_grad;
    return loss(x).item<double>();
  };
  const at::Tensor leaf = x.clone().requires_grad_();
  loss(leaf);
  const at::Tensor out = loss(leaf);
  layer.adapters->begin_step();
  torch::autograd::backward({loss(leaf)});
  expect_slopes(value, x, leaf.grad(), "dx");
  expect_slopes(value, layer.adapters->main_weight(0), layer.adapters->grad(0), "A");
  expect_slopes(value, layer.adapters->main_weight(2), layer.adapters->grad(2), "B");
}

/// Matrix products while `run` runs.
template <class Run>
int count_products(Run run) {
  static int count;
  count = 0;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback([](const at::RecordFunction& fn) {
    const std::string name = fn.name();
    if (name == "aten::mm" || name == "aten::addmm_") ++count;
    return std::unique_ptr<at::ObserverContext>();
  }));
  run();
  at::removeCallback(handle);
  return count;
}

TEST(Lora, BackwardFormsOnlyTheProductsThatSomethingTrainableNeeds) {
  const Layer layer;
  GradSink sink;
  const OpContext context{&sink, true};
  const at::Tensor c = random_tensor({8, 14}, 4);
  const auto products = [&](bool input_learns) {
    const at::Tensor x = random_tensor({8, kIn}, 3).requires_grad_(input_learns);
    const at::Tensor y = linear(x, layer.linear, context);
    return count_products([&] { torch::autograd::backward({y}, {c}); });
  };
  // Of adapters on q and v: A x again (2), dB (2), dh (2), dA (2). With an input that learns also dx of the
  // three frozen matrices and of both A. Never a gradient of a frozen matrix.
  EXPECT_EQ(products(false), 8);
  EXPECT_EQ(products(true), 8 + 5);
}

}  // namespace
}  // namespace automodel::ops
