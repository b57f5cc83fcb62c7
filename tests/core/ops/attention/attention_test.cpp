// B batch, T queries, S keys, N heads, K kv heads, H head_dim of keys, V of values
#include "core/ops/attention/attention.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/ops/dropout.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::random_tensor;

at::Tensor tensor_of(const std::vector<int32_t>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<int32_t*>(values.data()), shape, at::kInt).clone();
}

struct Case {
  std::string name;
  AttentionOptions options{};
  AttentionRows rows{};
  bool sinks = false;
};

constexpr int64_t kB = 2, kT = 9, kN = 4, kK = 2, kH = 5, kV = 3;

const std::vector<int32_t> kDocuments = {0, 0, 0, 1, 1, 1, 1, 1, -1, 5, 5, 5, 5, 5, 5, 5, 5, 3};

std::vector<Case> cases() {
  const at::Tensor documents = tensor_of(kDocuments, {kB, kT});
  const at::Tensor prefix = tensor_of({4, 1}, {kB}).to(at::kLong);
  std::vector<Case> all = {
      {"causal", {}},
      {"bidirectional", {.span = {.causal = false}}},
      {"window", {.span = {.sliding_window = 3}}},
      {"bidirectional window", {.span = {.causal = false, .sliding_window = 4}}},
      {"chunks", {.span = {.chunk = 4}}},
      {"documents", {}, {.documents_BT = documents}},
      {"prefix", {}, {.prefix_B = prefix}},
      {"softcap", {.softcap = 0.7}},
      {"alibi", {.alibi = {0.5, 0.25, 0.125, 1.0}}},
      {"bidirectional alibi", {.span = {.causal = false}, .alibi = {0.5, 0.25, 0.125, 1.0}}},
      {"sinks", {}, {}, true},
      {"window, sinks", {.span = {.sliding_window = 3}}, {}, true},
      {"window, softcap, documents",
       {.span = {.sliding_window = 3}, .softcap = 0.7},
       {.documents_BT = documents}},
      {"chunks, documents", {.span = {.chunk = 2}}, {.documents_BT = documents}},
      {"bidirectional, documents, alibi, softcap, sinks",
       {.span = {.causal = false}, .softcap = 0.7, .alibi = {0.5, 0.25, 0.125, 1.0}},
       {.documents_BT = documents},
       true},
      {"prefix, softcap, sinks", {.softcap = 0.7}, {.prefix_B = prefix}, true},
  };
  for (Case& each : all) each.options.scale = 0.6;
  return all;
}

/// Whether query i of row b sees key j, by the definitions alone.
bool sees(const Case& c, int64_t b, int64_t i, int64_t j) {
  const auto document = [&](int64_t t) { return kDocuments[static_cast<size_t>(b * kT + t)]; };
  int64_t start = 0;
  if (c.rows.documents_BT.defined()) {
    if (document(i) != document(j)) return false;
    while (document(start) != document(i)) ++start;
  }
  if (c.rows.prefix_B.defined() && j < c.rows.prefix_B[b].item<int64_t>()) return true;
  const AttentionSpan& span = c.options.span;
  if (span.chunk > 0 && (i - start) / span.chunk != (j - start) / span.chunk) return false;
  if (span.causal) return j <= i && (span.sliding_window == 0 || i - j < span.sliding_window);
  return span.sliding_window == 0 || std::abs(i - j) <= span.sliding_window / 2;
}

/// One number after another. `first` is the position of the first query.
at::Tensor naive(const Case& c,
                 const at::Tensor& q,
                 const at::Tensor& k,
                 const at::Tensor& v,
                 const at::Tensor& sinks,
                 int64_t first = 0) {
  at::Tensor out = at::zeros({q.size(0), q.size(1), kN, kV}, at::kDouble);
  for (int64_t b = 0; b < q.size(0); ++b) {
    for (int64_t i = 0; i < q.size(1); ++i) {
      for (int64_t n = 0; n < kN; ++n) {
        const int64_t g = n / (kN / kK);
        std::vector<double> weights;
        double total = c.sinks ? std::exp(sinks[n].item<double>()) : 0;
        for (int64_t j = 0; j < k.size(1); ++j) {
          double score = (q[b][i][n] * k[b][j][g]).sum().item<double>() * c.options.scale;
          if (c.options.softcap > 0) score = c.options.softcap * std::tanh(score / c.options.softcap);
          if (!c.options.alibi.empty())
            score -= c.options.alibi[static_cast<size_t>(n)] * static_cast<double>(std::abs(first + i - j));
          weights.push_back(sees(c, b, first + i, j) ? std::exp(score) : 0);
          total += weights.back();
        }
        for (int64_t j = 0; j < k.size(1); ++j)
          out[b][i][n].add_(v[b][j][g], weights[static_cast<size_t>(j)] / total);
      }
    }
  }
  return out;
}

struct Inputs {
  at::Tensor q = random_tensor({kB, kT, kN, kH}, 1);
  at::Tensor k = random_tensor({kB, kT, kK, kH}, 2);
  at::Tensor v = random_tensor({kB, kT, kK, kV}, 3);
  std::unique_ptr<tensor::FlatParameter> unit = testing::random_unit({{"sinks", {kN}}}, 4);

  AttentionOptions options(const Case& c) const {
    AttentionOptions options = c.options;
    if (c.sinks) options.sinks = {unit.get(), 0};
    return options;
  }
};

void expect_near(const at::Tensor& got, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << what;
  EXPECT_LT((got - expected).abs().max().item<double>(), 1e-13) << what;
}

/// Every way to compute a case on a CPU: implementation, a mask or tiles, few queries a tile or all.
void for_every_way(const Case& c,
                   const std::function<void(AttentionKind, const AttentionShape&, const std::string&)>& run) {
  for (const AttentionKind kind : {AttentionKind::kBlocked, AttentionKind::kAten, AttentionKind::kPlain}) {
    if (kind != AttentionKind::kPlain && c.options.softcap > 0) continue;
    for (const bool dense : {false, true}) {
      for (const int64_t most_queries : {0, 2}) {
        AttentionShape shape{kB, kT, kT, at::kDouble, at::kCPU, most_queries, dense};
        run(kind,
            shape,
            c.name + " by " + std::string(name_of(kind)) + (dense ? ", dense, " : ", tiles, ") +
                std::to_string(most_queries));
      }
    }
  }
}

TEST(Attention, EveryOptionEqualsTheDefinition) {
  const Inputs in;
  for (const Case& c : cases()) {
    const AttentionOptions options = in.options(c);
    const at::Tensor expected = naive(c, in.q, in.k, in.v, in.unit->main_weight(0));
    expect_near(attention(in.q, in.k, in.v, options, c.rows), expected, c.name);
    for_every_way(c, [&](AttentionKind kind, const AttentionShape& shape, const std::string& what) {
      const auto plan = plan_attention(options.span, options.alibi, shape, c.rows);
      expect_near(attention_by(kind, plan, in.q, in.k, in.v, options), expected, what);
    });
  }
}

TEST(Attention, GradientsOfEveryOptionEqualFiniteDifferences) {
  const Inputs in;
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const AttentionOptions options = in.options(c);
    const std::vector<tensor::FlatParameter*> units =
        c.sinks ? std::vector{in.unit.get()} : std::vector<tensor::FlatParameter*>{};
    testing::check_gradients(
        [&](const std::vector<at::Tensor>& x, const OpContext& context) {
          return attention(x[0], x[1], x[2], options, c.rows, context);
        },
        {in.q, in.k, in.v},
        units);
  }
}

TEST(Attention, EveryWayHasTheSameGradients) {
  const Inputs in;
  const at::Tensor dout = random_tensor({kB, kT, kN, kV}, 5);
  for (const Case& c : cases()) {
    const AttentionOptions options = in.options(c);
    const auto gradients =
        [&](const std::function<at::Tensor(
                const at::Tensor&, const at::Tensor&, const at::Tensor&, const OpContext&)>& op) {
          GradSink sink;
          in.unit->begin_step();
          const at::Tensor q = in.q.clone().requires_grad_(), k = in.k.clone().requires_grad_(),
                           v = in.v.clone().requires_grad_();
          torch::autograd::backward({op(q, k, v, {&sink, true})}, {dout});
          return at::cat({q.grad().flatten(),
                          k.grad().flatten(),
                          v.grad().flatten(),
                          c.sinks ? in.unit->grad(0).clone() : at::zeros({0}, at::kDouble)});
        };
    const at::Tensor expected =
        gradients([&](const auto& q, const auto& k, const auto& v, const auto& context) {
          return attention(q, k, v, options, c.rows, context);
        });
    for_every_way(c, [&](AttentionKind kind, const AttentionShape& shape, const std::string& what) {
      const auto plan = plan_attention(options.span, options.alibi, shape, c.rows);
      const at::Tensor got = gradients([&](const auto& q, const auto& k, const auto& v, const auto& context) {
        return attention_by(kind, plan, q, k, v, options, context);
      });
      expect_near(got, expected, what);
    });
  }
}

TEST(Attention, OneTokenAfterAnotherEqualsAllAtOnce) {
  const Inputs in;
  for (const Case& c : cases()) {
    if (c.rows.documents_BT.defined() || !c.options.span.causal) continue;
    const AttentionOptions options = in.options(c);
    const at::Tensor expected = attention(in.q, in.k, in.v, options, c.rows);
    for (const int64_t at_once : {1, 2}) {
      for (int64_t i = 4; i + at_once <= kT; ++i) {
        const int64_t seen = i + at_once;
        const at::Tensor got = attention(
            in.q.narrow(1, i, at_once), in.k.narrow(1, 0, seen), in.v.narrow(1, 0, seen), options, c.rows);
        expect_near(got, expected.narrow(1, i, at_once), c.name + " at " + std::to_string(i));
      }
    }
  }
}

TEST(Attention, DocumentsAreIsolatedToTheBit) {
  const Inputs in;
  for (const Case& c : cases()) {
    if (!c.rows.documents_BT.defined()) continue;
    const AttentionOptions options = in.options(c);
    const auto run = [&](double first_document) {
      const at::Tensor q = in.q.clone(), k = in.k.clone(), v = in.v.clone();
      for (const at::Tensor& x : {q, k, v}) x[0].narrow(0, 0, 3).fill_(first_document);
      const at::Tensor leaf = k.requires_grad_();
      GradSink sink;
      in.unit->begin_step();
      const at::Tensor out = attention(q, leaf, v, options, c.rows, {&sink, true});
      torch::autograd::backward({out[0].narrow(0, 3, 5).sum()});
      return at::cat({out[0].narrow(0, 3, 6).flatten(), out[1].flatten(), leaf.grad().flatten()}).detach();
    };
    EXPECT_TRUE(at::equal(run(0), run(1e30))) << c.name;
  }
}

TEST(Attention, LongWindowsAreCutIntoTiles) {
  constexpr int64_t kLong = 700;
  const at::Tensor q = random_tensor({1, kLong, 2, 8}, 1), k = random_tensor({1, kLong, 1, 8}, 2);
  for (const bool causal : {true, false}) {
    const AttentionSpan span{.causal = causal, .sliding_window = 50};
    const AttentionShape shape{1, kLong, kLong, at::kDouble, at::kCPU, 0, false};
    const auto plan = plan_attention(span, {}, shape, {});
    ASSERT_EQ(plan->tiles.size(), 3u);
    EXPECT_LE(plan->tiles[1].num_keys, 256 + 50);
    AttentionShape dense = shape;
    dense.dense = true;
    const AttentionOptions options{.span = span};
    expect_near(attention(q, k, k, options),
                attention_by(AttentionKind::kPlain, plan_attention(span, {}, dense, {}), q, k, k, options),
                "window");
  }
}

TEST(Attention, SeveralBlocksOfQueriesEqualPlainProducts) {
  constexpr int64_t kLong = 300;  // three blocks
  const at::Tensor dout = random_tensor({2, kLong, 4, 6}, 4);
  for (const bool causal : {true, false}) {
    const AttentionOptions options{.scale = 0.4, .span = {.causal = causal}};
    const AttentionShape shape{2, kLong, kLong, at::kDouble, at::kCPU, 0, false};
    const auto plan = plan_attention(options.span, {}, shape, {});
    const auto run = [&](AttentionKind kind) {
      const at::Tensor q = random_tensor({2, kLong, 4, 8}, 1).requires_grad_();
      const at::Tensor k = random_tensor({2, kLong, 2, 8}, 2).requires_grad_();
      const at::Tensor v = random_tensor({2, kLong, 2, 6}, 3).requires_grad_();
      const at::Tensor out = attention_by(kind, plan, q, k, v, options);
      torch::autograd::backward({out}, {dout});
      return at::cat({out.detach().flatten(), q.grad().flatten(), k.grad().flatten(), v.grad().flatten()});
    };
    expect_near(
        run(AttentionKind::kBlocked), run(AttentionKind::kPlain), causal ? "causal" : "bidirectional");
  }
}

TEST(Attention, DropoutDrawsByRowTokenHeadAndKey) {
  const Inputs in;
  const at::Tensor keys = dropout_keys(1, 2, {7, 8}, kT);
  AttentionOptions options{.scale = 0.6, .dropout = 0.4, .dropout_site = 9};
  GradSink sink;
  const OpContext context{&sink, true, keys};
  const at::Tensor out = attention(in.q, in.k, in.v, options, {}, context);
  const at::Tensor alone = attention(in.q.narrow(0, 1, 1),
                                     in.k.narrow(0, 1, 1),
                                     in.v.narrow(0, 1, 1),
                                     options,
                                     {},
                                     {&sink, true, dropout_keys(1, 2, {8}, kT)});
  expect_near(alone, out.narrow(0, 1, 1), "a row alone");
  // The mean over many steps is the output without dropout; five standard deviations of the mean.
  at::Tensor sum = at::zeros_like(out), squares = at::zeros_like(out);
  constexpr int64_t kSteps = 400;
  for (int64_t step = 0; step < kSteps; ++step) {
    const at::Tensor drawn =
        attention(in.q, in.k, in.v, options, {}, {&sink, true, dropout_keys(1, step, {7, 8}, kT)});
    sum.add_(drawn);
    squares.add_(drawn.square());
  }
  const at::Tensor mean = sum / kSteps;
  const at::Tensor deviation = ((squares / kSteps - mean.square()) / kSteps).clamp_min(0).sqrt();
  const at::Tensor expected = attention(in.q, in.k, in.v, options);
  EXPECT_TRUE((mean - expected).abs().le(deviation * 5 + 1e-12).all().item<bool>());
  EXPECT_FALSE(at::equal(out, expected));
}

TEST(Attention, GradientsUnderDropoutEqualFiniteDifferences) {
  const Inputs in;
  const at::Tensor documents = tensor_of(kDocuments, {kB, kT});
  AttentionOptions options{
      .scale = 0.6, .softcap = 0.7, .sinks = {in.unit.get(), 0}, .dropout = 0.4, .dropout_site = 9};
  testing::check_gradients(
      [&](const std::vector<at::Tensor>& x, const OpContext& context) {
        return attention(x[0], x[1], x[2], options, {.documents_BT = documents}, context);
      },
      {in.q, in.k, in.v},
      {in.unit.get()},
      dropout_keys(1, 2, {7, 8}, kT));
}

TEST(Attention, PlansAreSharedWithinAMicroBatch) {
  AttentionRows rows{tensor_of(kDocuments, {kB, kT}), {}, std::make_shared<AttentionPlans>()};
  const AttentionShape shape{kB, kT, kT, at::kFloat, at::kCPU};
  const auto plan = rows.plans->of({}, {}, shape, rows);
  EXPECT_EQ(plan, rows.plans->of({}, {}, shape, rows));
  EXPECT_NE(plan, rows.plans->of({.sliding_window = 2}, {}, shape, rows));
}

TEST(Attention, RefusesWhatDoesNotGoTogether) {
  const Inputs in;
  const at::Tensor documents = tensor_of(kDocuments, {kB, kT});
  const at::Tensor prefix = tensor_of({4, 1}, {kB}).to(at::kLong);
  EXPECT_THROW(attention(in.q, in.k, in.v, {}, {documents, prefix}), Error);
  EXPECT_THROW(attention(in.q.narrow(1, 0, 2), in.k, in.v, {}, {documents, {}}), Error);
  EXPECT_THROW(attention(in.q, in.k, in.v.narrow(1, 0, 3), {}), Error);
}

TEST(Attention, TheTableChoosesByDeviceAndOptions) {
  const at::Device gpu(at::kCUDA, 0);
  const AttentionOptions capped{.softcap = 50}, sloped{.alibi = {1}};
  EXPECT_EQ(choose_attention(at::kCPU, at::kFloat, 300), AttentionKind::kBlocked);
  EXPECT_EQ(choose_attention(at::kCPU, at::kBFloat16, 64), AttentionKind::kAten);
  EXPECT_EQ(choose_attention(at::kCPU, at::kFloat, 64, capped), AttentionKind::kPlain);
  EXPECT_EQ(choose_attention(gpu, at::kBFloat16, 128), AttentionKind::kCudnn);
  EXPECT_EQ(choose_attention(gpu, at::kBFloat16, 192), AttentionKind::kPlain);
  EXPECT_EQ(choose_attention(gpu, at::kFloat, 128), AttentionKind::kPlain);
  EXPECT_EQ(choose_attention(gpu, at::kBFloat16, 64, sloped), AttentionKind::kPlain);
  EXPECT_EQ(choose_attention(gpu, at::kBFloat16, 64, {}, true), AttentionKind::kPlain);
}

}  // namespace
}  // namespace automodel::ops
