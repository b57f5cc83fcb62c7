#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// The gated delta rule (Yang et al. 2024, arXiv:2412.06464), with q and k normalised to length 1:
///   beta = sigmoid(b),  g = -exp(A_log) softplus(a + dt_bias),
///   S[t] = exp(g_t) S[t-1] + beta_t k_t (v_t - k_t^T exp(g_t) S[t-1])^T,  y_t = S[t]^T q_t / sqrt(K)
/// Key head i serves the value heads i H / G .. (i + 1) H / G - 1.
struct DeltaRule {
  tensor::Weight a_log;         ///< [H]
  tensor::Weight dt_bias;       ///< [H]
  int64_t num_key_heads = 0;    ///< G
  int64_t num_value_heads = 0;  ///< H, a multiple of G
  int64_t key_head_dim = 0;     ///< K
  int64_t value_head_dim = 0;   ///< V
  int64_t chunk = 64;  ///< tokens of one matrix product; without effect on the result but for rounding
  bool tiles = true;   ///< a CPU works head by head in its cache, else as a device; effect as of `chunk`
};

/// qkv [B, T, 2 G K + H V], contiguous: queries, keys, values; b, a [B, T, H]. f32, bf16, on a CPU also f64
/// -> [B, T, H V]. The state ends at borders of documents: `first_BT` as first_of_document (causal_conv.h)
/// gives it. Computed in f32. Saves its inputs; everything else is formed anew at backward.
/// Throws Error(kInvalidArgument) for shapes that do not fit the rule.
at::Tensor delta_rule(const at::Tensor& qkv,
                      const at::Tensor& b_BTH,
                      const at::Tensor& a_BTH,
                      const DeltaRule& rule,
                      const at::Tensor& first_BT,
                      const OpContext& context);

/// The rule for tokens that follow others, without a graph: `state` [B G, K, H / G, V] f32 is that before the
/// tokens, undefined at first, and becomes that after them.
at::Tensor delta_rule_next(const at::Tensor& qkv,
                           const at::Tensor& b_BTH,
                           const at::Tensor& a_BTH,
                           const DeltaRule& rule,
                           at::Tensor& state);

}  // namespace automodel::ops
