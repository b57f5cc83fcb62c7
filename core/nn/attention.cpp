// B batch, T tokens, D hidden, N heads, K kv heads, H head_dim
#include "core/nn/attention.h"

#include <cmath>

#include "core/ops/attention.h"
#include "core/ops/rms_norm.h"
#include "core/ops/rope.h"

namespace automodel::nn {

at::Tensor Attention::forward(const at::Tensor& x_BTD, const ops::OpContext& context) const {
  const int64_t rows = x_BTD.size(0);
  const int64_t length = x_BTD.size(1);
  const int64_t head_dim = config.head_dim;
  const int64_t q_width = config.num_heads * head_dim;
  const int64_t kv_width = config.num_kv_heads * head_dim;

  const at::Tensor fused = ops::norm_linear(x_BTD, input_norm, qkv, context);
  const auto heads = [&](int64_t from, int64_t count) {
    return fused.narrow(2, from, count * head_dim).view({rows, length, count, head_dim});
  };
  at::Tensor q_BTNH = heads(0, config.num_heads);
  at::Tensor k_BTKH = heads(q_width, config.num_kv_heads);
  const at::Tensor v_BTKH = heads(q_width + kv_width, config.num_kv_heads);

  if (config.qk_norm == QkNorm::kPerHead) {
    q_BTNH = ops::rms_norm(q_BTNH, q_norm, context);
    k_BTKH = ops::rms_norm(k_BTKH, k_norm, context);
  }
  if (rope) {
    const auto [cos, sin] = rope->tables(length);
    q_BTNH = ops::rope(q_BTNH, cos, sin);
    k_BTKH = ops::rope(k_BTKH, cos, sin);
  }
  const double scale = config.scale > 0 ? config.scale : 1 / std::sqrt(static_cast<double>(head_dim));
  const at::Tensor mixed_BTNH = ops::attention(q_BTNH, k_BTKH, v_BTKH, {scale, config.sliding_window});
  return ops::linear(mixed_BTNH.view({rows, length, q_width}), output, context);
}

}  // namespace automodel::nn
