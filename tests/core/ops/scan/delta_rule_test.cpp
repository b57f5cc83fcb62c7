#include "core/ops/scan/delta_rule.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "core/ops/scan/causal_conv.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::check_gradients;
using testing::random_tensor;
using testing::random_unit;

constexpr int64_t kKeyHeads = 2, kHeads = 4, kKey = 3, kValue = 5;
constexpr int64_t kChannels = 2 * kKeyHeads * kKey + kHeads * kValue;

std::unique_ptr<tensor::FlatParameter> rule_unit(
    const tensor::FlatParameter::Options& options = testing::float64_unit()) {
  return random_unit({{"A_log", {kHeads}}, {"dt_bias", {kHeads}}}, 1, options);
}

DeltaRule rule_of(tensor::FlatParameter* unit, int64_t chunk = 16, bool tiles = true) {
  return {{unit, 0}, {unit, 1}, kKeyHeads, kHeads, kKey, kValue, chunk, tiles};
}

/// What a rule reads, [B, T, ...].
struct Inputs {
  at::Tensor qkv, b, a;

  Inputs(int64_t rows, int64_t length, uint64_t seed)
      : qkv(random_tensor({rows, length, kChannels}, seed)),
        b(random_tensor({rows, length, kHeads}, seed + 1)),
        a(random_tensor({rows, length, kHeads}, seed + 2)) {}

  Inputs part(int64_t row, int64_t from, int64_t length) const {
    Inputs cut = *this;
    for (at::Tensor* x : {&cut.qkv, &cut.b, &cut.a}) *x = x->narrow(0, row, 1).narrow(1, from, length);
    return cut;
  }
};

at::Tensor unit_length(const at::Tensor& x) {
  return x / (x.pow(2).sum({-1}, true) + 1e-6).sqrt();
}

/// The recurrence, a token at a time, from a zero state: one row -> [1, T, H V].
at::Tensor token_by_token(const Inputs& in, const DeltaRule& rule) {
  const auto heads = [&](int64_t from) {
    return unit_length(in.qkv[0].narrow(1, from, kKeyHeads * kKey).reshape({-1, kKeyHeads, 1, kKey}))
        .expand({-1, kKeyHeads, kHeads / kKeyHeads, kKey})
        .reshape({-1, kHeads, kKey});
  };
  const at::Tensor q = heads(0) / std::sqrt(static_cast<double>(kKey));
  const at::Tensor k = heads(kKeyHeads * kKey);
  const at::Tensor v =
      in.qkv[0].narrow(1, 2 * kKeyHeads * kKey, kHeads * kValue).reshape({-1, kHeads, 1, kValue});
  const at::Tensor decay = (-rule.a_log.value().exp() * at::softplus(in.a[0] + rule.dt_bias.value())).exp();
  const at::Tensor beta = in.b[0].sigmoid();
  at::Tensor state = at::zeros({kHeads, kKey, kValue}, v.options());
  std::vector<at::Tensor> outputs;
  for (int64_t t = 0; t < v.size(0); ++t) {
    state = state * decay[t].view({kHeads, 1, 1});
    const at::Tensor known = (state * k[t].unsqueeze(2)).sum({1}, true);
    state = state + k[t].unsqueeze(2) * (v[t] - known) * beta[t].view({kHeads, 1, 1});
    outputs.push_back((state * q[t].unsqueeze(2)).sum({1}).flatten());
  }
  return at::stack(outputs).unsqueeze(0);
}

at::Tensor run(const Inputs& in, const DeltaRule& rule, const at::Tensor& documents) {
  GradSink sink;
  return delta_rule(in.qkv, in.b, in.a, rule, first_of_document(documents), {&sink});
}

/// Documents of these lengths side by side.
at::Tensor documents_of(const std::vector<int64_t>& lengths) {
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < lengths.size(); ++i)
    parts.push_back(at::empty({1, lengths[i]}, at::kInt).fill_(static_cast<int64_t>(i % 3)));
  return at::cat(parts, 1);
}

TEST(DeltaRule, EachDocumentOfARowAsTheRecurrenceAlone) {
  const auto unit = rule_unit();
  const std::vector<int64_t> lengths = {1, 15, 2, 40, 16, 1, 1, 4};  // across, at and inside chunks of 16
  const Inputs in(1, 80, 2);
  std::vector<at::Tensor> expected;
  int64_t at = 0;
  for (const int64_t length : lengths) {
    expected.push_back(token_by_token(in.part(0, at, length), rule_of(unit.get())));
    at += length;
  }
  for (const int64_t chunk : {16, 32, 64}) {
    for (const bool tiles : {false, true}) {
      const at::Tensor y = run(in, rule_of(unit.get(), chunk, tiles), documents_of(lengths));
      EXPECT_LT((y - at::cat(expected, 1)).abs().max().item<double>(), 1e-12) << chunk << tiles;
    }
  }
}

TEST(DeltaRule, RowsWithoutDocumentsAreOneEach) {
  const auto unit = rule_unit();
  const DeltaRule rule = rule_of(unit.get());
  const Inputs in(2, 37, 5);
  const at::Tensor y = run(in, rule, {});
  for (int64_t row = 0; row < 2; ++row) {
    const at::Tensor expected = token_by_token(in.part(row, 0, 37), rule);
    EXPECT_LT((y[row] - expected[0]).abs().max().item<double>(), 1e-12);
  }
}

TEST(DeltaRule, NothingOfADocumentReachesTheNextNotEvenByRounding) {
  const tensor::FlatParameter::Options options;
  const auto unit = rule_unit(options);
  const DeltaRule rule = rule_of(unit.get());
  Inputs in(1, 64, 6);
  for (at::Tensor* x : {&in.qkv, &in.b, &in.a}) *x = x->to(at::kFloat);
  const auto second = [&] { return run(in, rule, documents_of({23, 41})).narrow(1, 23, 41).clone(); };
  const at::Tensor before = second();
  for (at::Tensor* x : {&in.qkv, &in.b, &in.a}) x->narrow(1, 0, 23).mul_(100).add_(3);
  EXPECT_TRUE(second().equal(before));
}

TEST(DeltaRule, Gradients) {
  const auto unit = rule_unit();
  const Inputs in(1, 54, 9);
  for (const bool tiles : {false, true}) {
    const DeltaRule rule = rule_of(unit.get(), 16, tiles);
    for (const bool packed : {true, false}) {
      const at::Tensor documents = packed ? documents_of({5, 30, 16, 3}) : at::Tensor();
      check_gradients(
          [&](const std::vector<at::Tensor>& x, const OpContext& context) {
            return delta_rule(x[0], x[1], x[2], rule, first_of_document(documents), context);
          },
          {in.qkv, in.b, in.a},
          {unit.get()});
    }
  }
}

TEST(DeltaRule, TheResultDoesNotDependOnTheThreads) {
  // Ten value heads a key head, in parts of different sizes.
  const auto unit = random_unit({{"A_log", {20}}, {"dt_bias", {20}}}, 1, {});
  const DeltaRule rule = {{unit.get(), 0}, {unit.get(), 1}, 2, 20, 16, 8, 16};
  const at::Tensor qkv = random_tensor({1, 70, 2 * 2 * 16 + 20 * 8}, 13).to(at::kFloat);
  const at::Tensor b = random_tensor({1, 70, 20}, 14).to(at::kFloat);
  const at::Tensor a = random_tensor({1, 70, 20}, 15).to(at::kFloat);
  const auto gradients = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    std::vector<at::Tensor> x;
    for (const at::Tensor& input : {qkv, b, a}) x.push_back(input.clone().requires_grad_());
    GradSink sink;
    const at::Tensor y = delta_rule(x[0], x[1], x[2], rule, {}, {&sink});
    (y * y).sum().backward();
    at::set_num_threads(before);
    return std::vector<at::Tensor>{y.detach(), x[0].grad(), x[1].grad(), x[2].grad()};
  };
  const auto one = gradients(1), several = gradients(3);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(several[i])) << i;
}

TEST(DeltaRule, PiecesWithAStateAreTheWhole) {
  const auto unit = rule_unit();
  const DeltaRule rule = rule_of(unit.get());
  const Inputs in(2, 45, 12);
  const at::Tensor whole = run(in, rule, {});
  at::Tensor state;
  std::vector<at::Tensor> pieces;
  int64_t at = 0;
  for (const int64_t length : {20, 1, 1, 17, 6}) {
    pieces.push_back(delta_rule_next(
        in.qkv.narrow(1, at, length), in.b.narrow(1, at, length), in.a.narrow(1, at, length), rule, state));
    at += length;
  }
  EXPECT_LT((at::cat(pieces, 1) - whole).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace automodel::ops
