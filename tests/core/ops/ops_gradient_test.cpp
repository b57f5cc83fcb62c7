// Every op with a hand-written backward against finite differences: inputs and weights, at both memory
// levels.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/outer.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/ops/attention/attention.h"
#include "core/ops/attention/rope.h"
#include "core/ops/embedding.h"
#include "core/ops/linear_cross_entropy.h"
#include "core/ops/rms_norm.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::random_tensor;
using testing::random_unit;
using Op = std::function<at::Tensor(const at::Tensor& x, const OpContext& context)>;

/// Of an op with one input and at most one unit.
void check_gradients(const Op& op, const at::Tensor& x, tensor::FlatParameter* unit) {
  const std::vector<tensor::FlatParameter*> units =
      unit ? std::vector{unit} : std::vector<tensor::FlatParameter*>{};
  testing::check_gradients(
      [&](const std::vector<at::Tensor>& inputs, const OpContext& context) { return op(inputs[0], context); },
      {x},
      units);
}

TEST(OpsGradient, LinearWithBias) {
  const auto unit = random_unit({{"w", {5, 7}}, {"b", {5}}}, 1);
  const Linear layer{{unit.get(), 0}, {{unit.get(), 1}}, {5}};
  check_gradients([&](const at::Tensor& x, const OpContext& c) { return linear(x, layer, c); },
                  random_tensor({2, 3, 7}, 2),
                  unit.get());
}

TEST(OpsGradient, FuseGroupWithGapsAndWithout) {
  for (const int64_t width : {int64_t{7}, int64_t{256}}) {
    const auto unit = random_unit({{"q", {4, width}}, {"k", {2, width}}}, 3);
    EXPECT_EQ(unit->contiguous(0, 2), width == 256);
    const Linear layer{{unit.get(), 0, 2}, {}, {4, 2}};
    check_gradients([&](const at::Tensor& x, const OpContext& c) { return linear(x, layer, c); },
                    random_tensor({2, 3, width}, 4),
                    unit.get());
  }
}

TEST(OpsGradient, RmsNorm) {
  const auto unit = random_unit({{"w", {20}}}, 5);
  check_gradients(
      [&](const at::Tensor& x, const OpContext& c) { return rms_norm(x, {{unit.get(), 0}, 1e-6}, c); },
      random_tensor({3, 5, 20}, 6),
      unit.get());
}

TEST(OpsGradient, NormLinear) {
  const auto unit = random_unit({{"w", {6, 18}}, {"norm", {18}}}, 7);
  const Linear layer{{unit.get(), 0}, {}, {6}};
  check_gradients([&](const at::Tensor& x,
                      const OpContext& c) { return norm_linear(x, {{unit.get(), 1}, 1e-5}, layer, c); },
                  random_tensor({2, 4, 18}, 8),
                  unit.get());
}

TEST(OpsGradient, AddNormLinear) {
  const auto unit = random_unit({{"w", {6, 18}}, {"norm", {18}}}, 7);
  const Linear layer{{unit.get(), 0}, {}, {6}};
  testing::check_gradients(
      [&](const std::vector<at::Tensor>& inputs, const OpContext& c) {
        const AddedLinear both = add_norm_linear(inputs[0], inputs[1], {{unit.get(), 1}, 1e-5}, layer, c);
        return at::cat({both.sum, both.y}, 2);
      },
      {random_tensor({2, 4, 18}, 8), random_tensor({2, 4, 18}, 9)},
      {unit.get()});
}

TEST(OpsGradient, AddNormLinearIsTheAdditionAndNormLinearToTheBit) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    tensor::FlatParameter::Options options;
    options.main_dtype = options.compute_dtype = dtype;
    std::vector<std::vector<at::Tensor>> outcomes;
    for (const bool fused : {true, false}) {
      const auto unit = random_unit({{"w", {6, 40}}, {"norm", {40}}}, 7, options);
      const Linear layer{{unit.get(), 0}, {}, {6}};
      const Norm norm{{unit.get(), 1}, 1e-5};
      GradSink sink;
      const OpContext context{&sink, true};
      at::Tensor x = random_tensor({2, 4, 40}, 8).to(dtype).requires_grad_();
      at::Tensor addend = random_tensor({2, 4, 40}, 9).to(dtype).requires_grad_();
      AddedLinear both;
      if (fused) {
        both = add_norm_linear(x, addend, norm, layer, context);
      } else {
        both.sum = x + addend;
        both.y = norm_linear(both.sum, norm, layer, context);
      }
      torch::autograd::backward(
          {both.sum, both.y},
          {random_tensor({2, 4, 40}, 10).to(dtype), random_tensor({2, 4, 6}, 11).to(dtype)});
      outcomes.push_back({both.sum, both.y, x.grad(), addend.grad(), unit->grad(0), unit->grad(1)});
    }
    for (size_t i = 0; i < outcomes[0].size(); ++i) EXPECT_TRUE(outcomes[0][i].equal(outcomes[1][i])) << i;
  }
}

TEST(OpsGradient, GatedLinearWithEachActivation) {
  using kernels::Activation;
  const auto unit = random_unit({{"down", {5, 9}}}, 9);
  const Linear layer{{unit.get(), 0}, {}, {5}};
  for (const Activation activation : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh}) {
    check_gradients(
        [&](const at::Tensor& x, const OpContext& c) { return glu_linear(x, activation, layer, c); },
        random_tensor({2, 3, 18}, 10),
        unit.get());
  }
}

TEST(OpsGradient, RopeRotatesOnlyTheFirstRotaryDims) {
  const at::Tensor angles = at::outer(at::arange(6, at::kFloat), at::arange(1, 4, at::kFloat));
  const at::Tensor x = random_tensor({2, 6, 3, 10}, 11);
  const Op op = [&](const at::Tensor& t, const OpContext&) { return rope(t, {angles.cos(), angles.sin()}); };
  check_gradients(op, x, nullptr);
  EXPECT_TRUE(op(x, {}).narrow(3, 6, 4).equal(x.narrow(3, 6, 4)));
}

TEST(OpsGradient, RopeOfPairsSideBySideIsRopeOfHalvesOfReorderedDims) {
  const at::Tensor turns = at::outer(at::arange(6, at::kFloat), at::arange(1, 4, at::kFloat));
  const at::Tensor x = random_tensor({2, 6, 3, 11}, 11);
  const RopeAngles pairs{turns.cos(), turns.sin(), /*interleaved=*/true, /*first_dim=*/2};
  const Op op = [&](const at::Tensor& t, const OpContext&) { return rope(t, pairs); };
  check_gradients(op, x, nullptr);
  // Dims 2, 4, 6, then 3, 5, 7 of x are the halves.
  const at::Tensor halves = x.narrow(3, 2, 6).unflatten(3, {3, 2}).transpose(3, 4).flatten(3);
  const at::Tensor rotated =
      rope(halves, {turns.cos(), turns.sin()}).unflatten(3, {2, 3}).transpose(3, 4).flatten(3);
  EXPECT_LT((op(x, {}).narrow(3, 2, 6) - rotated).abs().max().item<double>(), 1e-14);
  EXPECT_TRUE(op(x, {}).narrow(3, 0, 2).equal(x.narrow(3, 0, 2)));
  EXPECT_TRUE(op(x, {}).narrow(3, 8, 3).equal(x.narrow(3, 8, 3)));
}

TEST(OpsGradient, RopeWithAPositionForEachToken) {
  const at::Tensor turns = at::outer(at::arange(6, at::kFloat), at::arange(1, 4, at::kFloat));
  const at::Tensor x = random_tensor({2, 3, 2, 6}, 11);
  const at::Tensor order = at::arange(5, -1, -1, at::kLong);
  const RopeAngles each{turns.cos().index_select(0, order), turns.sin().index_select(0, order)};
  const at::Tensor rotated = rope(x, each);
  for (int64_t b = 0; b < 2; ++b) {
    const RopeAngles of_row{each.cos.narrow(0, 3 * b, 3), each.sin.narrow(0, 3 * b, 3)};
    EXPECT_TRUE(rotated.narrow(0, b, 1).equal(rope(x.narrow(0, b, 1), of_row)));
  }
  EXPECT_THROW(rope(x, {turns.cos().narrow(0, 0, 4), turns.sin().narrow(0, 0, 4)}), Error);
  EXPECT_THROW(rope(x, {each.cos, each.sin, false, 1}), Error);
}

TEST(OpsGradient, RopeOfAFusedProjection) {
  const at::Tensor angles = at::outer(at::arange(6, at::kFloat), at::arange(1, 3, at::kFloat));
  const at::Tensor qkv = random_tensor({2, 6, (3 + 2 * 2) * 5}, 21);
  const Op op = [&](const at::Tensor& x, const OpContext&) {
    const Heads heads = rope_qkv(x, 2, 5, {angles.cos(), angles.sin()});
    return at::cat({heads.q_BTNH, heads.k_BTKH, heads.v_BTKH}, 2);
  };
  check_gradients(op, qkv, nullptr);
  const at::Tensor heads = qkv.view({2, 6, 7, 5});
  const at::Tensor rotated = rope(heads.narrow(2, 0, 5), {angles.cos(), angles.sin()});
  EXPECT_TRUE(op(qkv, {}).equal(at::cat({rotated, heads.narrow(2, 5, 2)}, 2)));
}

TEST(OpsGradient, AttentionOverAWindow) {
  const at::Tensor k = random_tensor({2, 7, 1, 4}, 12);
  const at::Tensor v = random_tensor({2, 7, 1, 4}, 13);
  check_gradients(
      [&](const at::Tensor& q, const OpContext&) {
        return attention(q, k, v, {.scale = 0.5, .span = {.sliding_window = 3}});
      },
      random_tensor({2, 7, 2, 4}, 14),
      nullptr);
}

TEST(OpsGradient, LinearCrossEntropyInChunks) {
  const auto unit = random_unit({{"head", {11, 6}}}, 15);
  at::Tensor labels = at::arange(8, at::kLong);
  labels[3].fill_(-100);
  const Linear head{{unit.get(), 0}, {}, {11}};
  for (const int64_t chunk_rows : {int64_t{2}, int64_t{100}}) {
    const CrossEntropyOptions options{0.25, -100, chunk_rows};
    check_gradients([&](const at::Tensor& x,
                        const OpContext& c) { return linear_cross_entropy(x, labels, head, options, c); },
                    random_tensor({8, 6}, 16),
                    unit.get());
  }
}

TEST(OpsGradient, LinearCrossEntropyOfAMaskedRowIsZero) {
  const auto unit = random_unit({{"head", {11, 6}}}, 15);
  at::Tensor labels = at::arange(8, at::kLong);
  labels[3].fill_(-100);
  GradSink sink;
  const at::Tensor x = random_tensor({8, 6}, 16).requires_grad_();
  torch::autograd::backward({linear_cross_entropy(x, labels, {{unit.get(), 0}, {}, {11}}, {}, {&sink, true})},
                            {});
  EXPECT_TRUE(x.grad()[3].eq(0).all().item<bool>());
}

TEST(OpsGradient, EmbeddingAddsRowsOfRepeatedIds) {
  const auto unit = random_unit({{"table", {5, 3}}}, 17);
  const at::Tensor ids = at::arange(4, at::kLong).remainder(2).view({2, 2});
  GradSink sink;
  torch::autograd::backward({embedding(ids, {unit.get(), 0}, {&sink, true}).sum()}, {});
  EXPECT_TRUE(unit->grad(0).narrow(0, 0, 2).eq(2).all().item<bool>());
  EXPECT_TRUE(unit->grad(0).narrow(0, 2, 3).eq(0).all().item<bool>());
}

TEST(Ops, AllMaskedBatchGivesZeroLossAndZeroGradients) {
  const auto unit = random_unit({{"head", {11, 6}}}, 18);
  const at::Tensor labels = at::empty({4}, at::kLong).fill_(-100);
  GradSink sink;
  at::Tensor x = random_tensor({4, 6}, 19).requires_grad_();
  const at::Tensor loss = linear_cross_entropy(x, labels, {{unit.get(), 0}, {}, {11}}, {}, {&sink, true});
  torch::autograd::backward({loss}, {});
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_TRUE(x.grad().eq(0).all().item<bool>());
}

TEST(Ops, TokenOutsideTheVocabularyIsAnError) {
  const auto unit = random_unit({{"table", {5, 3}}}, 20);
  GradSink sink;
  const at::Tensor ids = at::empty({1, 1}, at::kLong).fill_(5);
  EXPECT_THROW(embedding(ids, {unit.get(), 0}, {&sink, true}), Error);
}

}  // namespace
}  // namespace automodel::ops
