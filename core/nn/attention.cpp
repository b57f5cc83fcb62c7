// B batch, T tokens, D hidden, N heads, K kv heads, H head_dim
#include "core/nn/attention.h"

#include <cmath>
#include <tuple>

#include "core/ops/attention.h"
#include "core/ops/rms_norm.h"

namespace automodel::nn {

ops::Heads Attention::split_heads(const at::Tensor& fused_BTW,
                                  int64_t before,
                                  const ops::OpContext& context) const {
  const int64_t rows = fused_BTW.size(0);
  const int64_t length = fused_BTW.size(1);
  const int64_t head_dim = config.head_dim;
  const bool normed = config.qk_norm == QkNorm::kPerHead;
  if (rope && !normed) {
    const auto [cos, sin] = rope->tables(before, before + length);
    return ops::rope_qkv(fused_BTW, config.num_kv_heads, head_dim, cos, sin);
  }
  const auto slice = [&](int64_t first, int64_t count) {
    return fused_BTW.narrow(2, first * head_dim, count * head_dim).view({rows, length, count, head_dim});
  };
  ops::Heads heads{slice(0, config.num_heads),
                   slice(config.num_heads, config.num_kv_heads),
                   slice(config.num_heads + config.num_kv_heads, config.num_kv_heads)};
  if (normed) {
    heads.q_BTNH = ops::rms_norm(heads.q_BTNH, q_norm, context);
    heads.k_BTKH = ops::rms_norm(heads.k_BTKH, k_norm, context);
  }
  if (rope) {
    const auto [cos, sin] = rope->tables(before, before + length);
    heads.q_BTNH = ops::rope(heads.q_BTNH, cos, sin);
    heads.k_BTKH = ops::rope(heads.k_BTKH, cos, sin);
  }
  return heads;
}

at::Tensor Attention::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const auto& [context, tokens, cache, router] = in;
  const int64_t rows = x_BTD.size(0);
  const int64_t length = x_BTD.size(1);
  const int64_t head_dim = config.head_dim;
  const int64_t q_width = config.num_heads * head_dim;

  const at::Tensor fused = ops::norm_linear(x_BTD, input_norm, qkv, context);
  ops::Heads heads = split_heads(fused, cache ? cache->length() : 0, context);
  if (cache) std::tie(heads.k_BTKH, heads.v_BTKH) = cache->append(heads.k_BTKH, heads.v_BTKH);
  const double scale = config.scale > 0 ? config.scale : 1 / std::sqrt(static_cast<double>(head_dim));
  const at::Tensor mixed_BTNH =
      ops::attention(heads.q_BTNH,
                     heads.k_BTKH,
                     heads.v_BTKH,
                     {.scale = scale, .span = {.sliding_window = config.sliding_window}});
  return ops::linear(mixed_BTNH.view({rows, length, q_width}), output, context);
}

}  // namespace automodel::nn
