#include "core/ops/attention.h"

#include <limits>

#include <ATen/ops/_scaled_dot_product_attention_math.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

namespace automodel::ops {
namespace {

/// [T, T]: 0 where query t sees key s, minus infinity elsewhere.
at::Tensor window_mask(int64_t length, int64_t window, const at::TensorOptions& options) {
  const at::Tensor position = at::arange(length, options.dtype(at::kLong));
  const at::Tensor distance = position.unsqueeze(1) - position.unsqueeze(0);
  const at::Tensor hidden = distance.lt(0).logical_or_(distance.ge(window));
  return at::zeros({length, length}, options).masked_fill_(hidden, -std::numeric_limits<float>::infinity());
}

}  // namespace

std::string_view name_of(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::kAten:
      return "ATen, blocked";
    case AttentionKind::kCudnn:
      return "cuDNN";
    case AttentionKind::kMath:
      return "plain, scores in memory";
  }
  fail(ErrorCode::kInternal, "attention kind ", static_cast<int>(kind));
}

AttentionKind choose_attention(at::Device device, at::ScalarType dtype, int64_t head_dim) {
  if (device.is_cpu()) return AttentionKind::kAten;
  constexpr int64_t kLargestHead = 128;
  const bool half = dtype == at::kBFloat16 || dtype == at::kHalf;
  return half && head_dim % 8 == 0 && head_dim <= kLargestHead ? AttentionKind::kCudnn : AttentionKind::kMath;
}

at::Tensor attention(const at::Tensor& q_BTNH,
                     const at::Tensor& k_BTKH,
                     const at::Tensor& v_BTKH,
                     const AttentionOptions& options) {
  const int64_t length = q_BTNH.size(1);
  const bool windowed = options.sliding_window > 0 && options.sliding_window < length;
  const std::optional<at::Tensor> mask =
      windowed ? std::optional(window_mask(length, options.sliding_window, q_BTNH.options())) : std::nullopt;
  const bool grouped = q_BTNH.size(2) != k_BTKH.size(2);
  const at::Tensor q = q_BTNH.transpose(1, 2);
  const at::Tensor k = k_BTKH.transpose(1, 2);
  const at::Tensor v = v_BTKH.transpose(1, 2);
  at::Tensor out_BNTH;
  switch (choose_attention(q.device(), q.scalar_type(), q.size(3))) {
    case AttentionKind::kAten:
      out_BNTH = at::scaled_dot_product_attention(q, k, v, mask, 0.0, !windowed, options.scale, grouped);
      break;
    case AttentionKind::kCudnn: {
      std::optional<at::Tensor> bias;
      if (mask) bias = mask->expand({q.size(0), q.size(1), length, length});
      out_BNTH = std::get<0>(at::_scaled_dot_product_cudnn_attention(q,
                                                                     k,
                                                                     v,
                                                                     bias,
                                                                     /*compute_log_sumexp=*/true,
                                                                     /*dropout_p=*/0.0,
                                                                     /*is_causal=*/!windowed,
                                                                     /*return_debug_mask=*/false,
                                                                     options.scale));
      break;
    }
    case AttentionKind::kMath:
      out_BNTH = std::get<0>(at::_scaled_dot_product_attention_math(
          q, k, v, mask, 0.0, !windowed, std::nullopt, options.scale, grouped));
      break;
  }
  return out_BNTH.transpose(1, 2).contiguous();
}

}  // namespace automodel::ops
