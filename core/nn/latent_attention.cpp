// B batch, T tokens, D hidden, N heads, R latent, Q dims of a query and a key, V of a value
#include "core/nn/latent_attention.h"

#include <cmath>
#include <tuple>

#include <ATen/ops/cat.h>

#include "core/nn/attention.h"
#include "core/nn/query_scale.h"
#include "core/ops/attention/attention.h"
#include "core/ops/norm.h"

namespace automodel::nn {

at::Tensor LatentAttention::queries(const at::Tensor& normed_BTD,
                                    const ops::RopeAngles& angles,
                                    const ops::OpContext& context) const {
  const at::Tensor q = config.q_lora_rank > 0
                           ? ops::norm_linear(ops::linear(normed_BTD, q_down, context), q_norm, q_up, context)
                           : ops::linear(normed_BTD, q_up, context);
  ops::RopeAngles behind = angles;
  behind.first_dim = config.qk_nope_head_dim;
  return ops::rope(q.view({q.size(0), q.size(1), config.num_heads, config.qk_head_dim()}), behind);
}

at::Tensor LatentAttention::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const auto& context = in.context;
  const int64_t rows = x_BTD.size(0), length = x_BTD.size(1), heads = config.num_heads;
  const int64_t before = in.cache ? in.cache->length() : 0;
  const ops::RopeAngles angles = rope->angles(in.tokens, before, length);
  const at::Tensor normed_BTD = ops::norm(x_BTD, input_norm, context);
  const at::Tensor q_BTNQ =
      scale_queries(queries(normed_BTD, angles, context), config.query_scale, in.tokens, before);

  const at::Tensor latent_BTR = ops::linear(normed_BTD, kv_down, context);
  const at::Tensor up_BTW =
      ops::norm_linear(latent_BTR.narrow(2, 0, config.kv_lora_rank), kv_norm, kv_up, context);
  const at::Tensor shared_BT1Q =
      ops::rope(latent_BTR.narrow(2, config.kv_lora_rank, config.qk_rope_head_dim).unsqueeze(2), angles);
  const at::Tensor up_BTNW = up_BTW.view({rows, length, heads, config.qk_nope_head_dim + config.v_head_dim});
  at::Tensor k_BTNQ = at::cat({up_BTNW.narrow(3, 0, config.qk_nope_head_dim),
                               shared_BT1Q.expand({rows, length, heads, config.qk_rope_head_dim})},
                              3);
  at::Tensor v_BTNV = up_BTNW.narrow(3, config.qk_nope_head_dim, config.v_head_dim);
  if (in.cache) std::tie(k_BTNQ, v_BTNV) = in.cache->append(k_BTNQ, v_BTNV);

  const double scale =
      config.scale > 0 ? config.scale : 1 / std::sqrt(static_cast<double>(config.qk_head_dim()));
  const ops::AttentionOptions options{
      .scale = scale, .dropout = config.dropout, .dropout_site = config.dropout_site};
  const at::Tensor mixed_BTNV =
      ops::attention(q_BTNQ, k_BTNQ, v_BTNV, options, attention_rows(in.tokens), context);
  return ops::linear(mixed_BTNV.flatten(2), output, context);
}

}  // namespace automodel::nn
