#include "core/nn/attention.h"

#include <cmath>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "core/nn/query_scale.h"
#include "tests/core/nn/mixer_check.h"

namespace automodel::nn {
namespace {

using testing::check_mixer;
using testing::expect_near;

constexpr int64_t kD = 10, kN = 4, kK = 2, kH = 6;

/// An attention block of random weights; `change` says what differs from plain grouped attention.
struct Block {
  std::unique_ptr<tensor::FlatParameter> unit;
  Attention attention;

  explicit Block(const std::function<void(arch::AttentionConfig&)>& change, bool interleaved = false) {
    arch::AttentionConfig& config = attention.config;
    config.num_heads = kN;
    config.num_kv_heads = kK;
    config.head_dim = kH;
    config.head_norm.weight = false;
    change(config);
    const int64_t q_width = (config.output_gate ? 2 : 1) * kN * kH;
    std::vector<tensor::Parameter> parameters = {{"q", {q_width, kD}},
                                                 {"k", {kK * kH, kD}},
                                                 {"v", {kK * kH, kD}},
                                                 {"o", {kD, kN * kH}},
                                                 {"norm", {kD}}};
    const bool own = config.qk_norm == arch::QkNorm::kPerHeadWeights;
    const bool whole = config.qk_norm == arch::QkNorm::kWhole;
    if (config.head_norm.weight) {
      for (const auto& [name, heads] : {std::pair("q_norm", kN), std::pair("k_norm", kK)})
        parameters.push_back({name,
                              own     ? std::vector<int64_t>{heads, kH}
                              : whole ? std::vector<int64_t>{heads * kH}
                                      : std::vector<int64_t>{kH}});
    }
    if (config.sinks) parameters.push_back({"sinks", {kN}});
    unit = ops::testing::random_unit(parameters, 1);
    attention.input_norm = {.weight = {unit.get(), 4}};
    attention.qkv = {{unit.get(), 0, 3}, {}, {q_width, kK * kH, kK * kH}};
    attention.output = {{unit.get(), 3}, {}, {kD}};
    for (ops::Norm* norm : {&attention.q_norm, &attention.k_norm}) {
      *norm = {.weight = {}, .kind = config.head_norm.kind};
      norm->weight_offset = config.head_norm.weight_offset;
    }
    if (config.head_norm.weight) {
      attention.q_norm.weight = {unit.get(), 5};
      attention.k_norm.weight = {unit.get(), 6};
    }
    if (config.sinks) attention.sinks = {unit.get(), parameters.size() - 1};
    if (config.rope >= 0) attention.rope = testing::small_rope(4, interleaved);
  }

  void check(const std::string& what) const {
    check_mixer(attention, kD, {unit.get()}, what, attention.config.causal);
  }
};

TEST(NnAttention, PlainWindowedAndChunked) {
  Block([](arch::AttentionConfig&) {}).check("plain");
  Block([](arch::AttentionConfig&) {}, true).check("interleaved rope");
  Block([](arch::AttentionConfig& c) { c.rope = -1; }).check("no rope");
  Block([](arch::AttentionConfig& c) { c.sliding_window = 3; }).check("window");
  Block([](arch::AttentionConfig& c) { c.chunk = 3; }).check("chunks");
  Block([](arch::AttentionConfig& c) { c.causal = false; }).check("bidirectional");
}

TEST(NnAttention, NormsOfQueriesAndKeys) {
  for (const arch::QkNorm kind :
       {arch::QkNorm::kPerHead, arch::QkNorm::kPerHeadWeights, arch::QkNorm::kWhole}) {
    for (const kernels::NormKind norm : {kernels::NormKind::kRms, kernels::NormKind::kLayer}) {
      for (const bool after : {false, true}) {
        Block([&](arch::AttentionConfig& c) {
          c.qk_norm = kind;
          c.head_norm.kind = norm;
          c.head_norm.weight = true;
          c.head_norm.weight_offset = 0.5;
          c.norm_after_rope = after;
        })
            .check("norm " + std::to_string(static_cast<int>(kind)) + std::to_string(static_cast<int>(norm)) +
                   (after ? " after rope" : ""));
      }
    }
  }
}

TEST(NnAttention, NormWithoutAWeight) {
  Block([](arch::AttentionConfig& c) {
    c.qk_norm = arch::QkNorm::kPerHead;
    c.norm_after_rope = true;
  }).check("Llama 4's");
}

TEST(NnAttention, GateSinksSlopesCapsAndScales) {
  Block([](arch::AttentionConfig& c) { c.output_gate = true; }).check("gate");
  Block([](arch::AttentionConfig& c) { c.sinks = true; }).check("sinks");
  Block([](arch::AttentionConfig& c) { c.alibi = {1, 0.5, 0.25, 0.125}; }).check("alibi");
  Block([](arch::AttentionConfig& c) { c.softcap = 0.8; }).check("softcap");
  Block([](arch::AttentionConfig& c) { c.scale = 0.3; }).check("scale");
  Block([](arch::AttentionConfig& c) {
    c.query_scale = {.beta = 0.7, .interval = 2, .offset = 1};
  }).check("query scale");
}

TEST(NnAttention, ClipsQueriesKeysAndValues) {
  const Block clipped([](arch::AttentionConfig& c) { c.clip_qkv = 0.4; });
  clipped.check("clip");
  const at::Tensor x = ops::testing::random_tensor({1, 3, kD}, 2);
  const Tokens tokens;
  const ops::OpContext context;
  const c10::NoGradGuard no_grad;
  // Of one token alone the heads are its clipped values.
  const at::Tensor one = x.narrow(1, 0, 1);
  const at::Tensor values =
      ops::norm_linear(one, clipped.attention.input_norm, clipped.attention.qkv, context)
          .narrow(2, (kN + kK) * kH, kK * kH)
          .clamp(-0.4, 0.4)
          .view({1, 1, kK, kH})
          .repeat_interleave(kN / kK, 2)
          .flatten(2);
  expect_near(clipped.attention.forward(one, {context, tokens}),
              ops::linear(values, clipped.attention.output, context),
              "clipped values");
}

TEST(NnAttention, QueryScaleIsTheLogarithmOfThePosition) {
  // beta log(1 + floor((position + 1) / 2)) + 1 at positions 0, 1, 2, 3: floors 0, 1, 1, 2.
  const at::Tensor q = ops::testing::random_tensor({1, 4, 2, 3}, 1);
  Tokens tokens;
  const at::Tensor scaled = scale_queries(q, {.beta = 0.5, .interval = 2, .offset = 1}, tokens, 0);
  const double factors[] = {1, 1 + 0.5 * std::log(2.0), 1 + 0.5 * std::log(2.0), 1 + 0.5 * std::log(3.0)};
  for (int64_t t = 0; t < 4; ++t) expect_near(scaled[0][t], q[0][t] * factors[t], std::to_string(t));
}

}  // namespace
}  // namespace automodel::nn
