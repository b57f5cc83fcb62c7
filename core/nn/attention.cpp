// B batch, T tokens, D hidden, N heads, K kv heads, H head_dim, W width of the fused projection
#include "core/nn/attention.h"

#include <cmath>
#include <tuple>

#include <ATen/ops/clamp.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sigmoid.h>

#include "core/nn/query_scale.h"
#include "core/ops/attention/qk_norm_rope.h"
#include "core/ops/channel_scale.h"
#include "core/ops/norm.h"

namespace automodel::nn {
namespace {

at::Tensor normalised(const at::Tensor& x_BTNH,
                      arch::QkNorm kind,
                      const ops::Norm& norm,
                      const ops::OpContext& context) {
  switch (kind) {
    case arch::QkNorm::kNone:
      return x_BTNH;
    case arch::QkNorm::kPerHead:
      return ops::norm(x_BTNH, norm, context);
    case arch::QkNorm::kPerHeadWeights: {
      ops::Norm plain = norm;
      plain.weight = {};
      plain.weight_offset = 0;
      ensure(!norm.bias, "a norm of each head by itself has no bias");
      return ops::channel_scale(ops::norm(x_BTNH, plain, context), norm.weight, norm.weight_offset, context);
    }
    case arch::QkNorm::kWhole:
      return ops::norm(x_BTNH.flatten(2), norm, context).view(x_BTNH.sizes());
  }
  fail(ErrorCode::kInternal, "norm of queries and keys ", static_cast<int>(kind));
}

}  // namespace

ops::AttentionRows attention_rows(const Tokens& tokens) {
  return {tokens.documents_BT, tokens.prefix_B, tokens.attention_plans};
}

ops::Heads Attention::slices_of(const at::Tensor& fused_BTW, at::Tensor& gate) const {
  const int64_t head_dim = config.head_dim;
  const auto slice = [&](int64_t first, int64_t count, int64_t width) {
    return fused_BTW.narrow(2, first * head_dim, count * width)
        .view({fused_BTW.size(0), fused_BTW.size(1), count, width});
  };
  const int64_t q_width = config.output_gate ? 2 * head_dim : head_dim;
  const int64_t first_k = config.num_heads * q_width / head_dim;
  ops::Heads heads{slice(0, config.num_heads, q_width),
                   slice(first_k, config.num_kv_heads, head_dim),
                   slice(first_k + config.num_kv_heads, config.num_kv_heads, head_dim)};
  if (config.output_gate) {
    gate = heads.q_BTNH.narrow(3, head_dim, head_dim);
    heads.q_BTNH = heads.q_BTNH.narrow(3, 0, head_dim);
  }
  return heads;
}

void Attention::normalise(ops::Heads& heads, const ops::OpContext& context) const {
  heads.q_BTNH = normalised(heads.q_BTNH, config.qk_norm, q_norm, context);
  heads.k_BTKH = normalised(heads.k_BTKH, config.qk_norm, k_norm, context);
}

ops::Heads Attention::heads_of(const at::Tensor& fused_BTW,
                               const MixerInput& in,
                               int64_t before,
                               at::Tensor& gate) const {
  ops::RopeAngles angles;
  if (rope) angles = rope->angles(in.tokens, before, fused_BTW.size(1));
  const bool as_projected = config.qk_norm == arch::QkNorm::kNone || config.norm_after_rope;
  if (rope && as_projected && !config.output_gate && config.clip_qkv == 0) {
    ops::Heads heads = ops::rope_qkv(fused_BTW, config.num_kv_heads, config.head_dim, angles);
    if (config.norm_after_rope) normalise(heads, in.context);
    return heads;
  }
  const bool head_by_head = config.qk_norm == arch::QkNorm::kPerHead && !config.norm_after_rope;
  if (rope && head_by_head && !config.output_gate && config.clip_qkv == 0 &&
      ops::can_norm_and_rotate(fused_BTW, config.num_kv_heads, config.head_dim, q_norm, k_norm, angles)) {
    return ops::qk_norm_rope(
        fused_BTW, config.num_kv_heads, config.head_dim, q_norm, k_norm, angles, in.context);
  }
  ops::Heads heads = slices_of(fused_BTW, gate);
  if (!config.norm_after_rope) normalise(heads, in.context);
  if (config.clip_qkv > 0) {
    for (at::Tensor* x : {&heads.q_BTNH, &heads.k_BTKH, &heads.v_BTKH})
      *x = at::clamp(*x, -config.clip_qkv, config.clip_qkv);
  }
  if (rope) {
    heads.q_BTNH = ops::rope(heads.q_BTNH, angles);
    heads.k_BTKH = ops::rope(heads.k_BTKH, angles);
  }
  if (config.norm_after_rope) normalise(heads, in.context);
  return heads;
}

ops::AttentionOptions Attention::options() const {
  const double head_dim = static_cast<double>(config.head_dim);
  return {.scale = config.scale > 0 ? config.scale : 1 / std::sqrt(head_dim),
          .span = {config.causal, config.sliding_window, config.chunk},
          .softcap = config.softcap,
          .alibi = config.alibi,
          .sinks = config.sinks ? sinks : tensor::Weight(),
          .dropout = config.dropout,
          .dropout_site = config.dropout_site};
}

at::Tensor Attention::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const int64_t before = in.cache ? in.cache->length() : 0;
  const at::Tensor fused_BTW = ops::norm_linear(x_BTD, input_norm, qkv, in.context);
  at::Tensor gate_BTNH;
  ops::Heads heads = heads_of(fused_BTW, in, before, gate_BTNH);
  heads.q_BTNH = scale_queries(heads.q_BTNH, config.query_scale, in.tokens, before);
  if (in.cache) std::tie(heads.k_BTKH, heads.v_BTKH) = in.cache->append(heads.k_BTKH, heads.v_BTKH);
  at::Tensor mixed_BTNH = ops::attention(
      heads.q_BTNH, heads.k_BTKH, heads.v_BTKH, options(), attention_rows(in.tokens), in.context);
  if (gate_BTNH.defined()) mixed_BTNH = at::mul(mixed_BTNH, at::sigmoid(gate_BTNH));
  return ops::linear(mixed_BTNH.flatten(2), output, in.context);
}

}  // namespace automodel::nn
