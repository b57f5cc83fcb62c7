#include "core/ops/attention.h"

#include <algorithm>
#include <limits>

#include <ATen/ops/_scaled_dot_product_attention_math.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

namespace automodel::ops {
namespace {

/// [T, S]: 0 where query t, at position S - T + t, sees key s, minus infinity elsewhere. window 0: all
/// before.
at::Tensor causal_mask(int64_t queries, int64_t keys, int64_t window, const at::TensorOptions& options) {
  const at::Tensor key = at::arange(keys, options.dtype(at::kLong));
  const at::Tensor query = key.narrow(0, keys - queries, queries);
  const at::Tensor distance = query.unsqueeze(1) - key.unsqueeze(0);
  at::Tensor hidden = distance.lt(0);
  if (window > 0) hidden.logical_or_(distance.ge(window));
  return at::zeros({queries, keys}, options).masked_fill_(hidden, -std::numeric_limits<float>::infinity());
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

AttentionKind choose_attention(at::Device device, at::ScalarType dtype, int64_t head_dim, bool generates) {
  if (device.is_cpu()) return AttentionKind::kAten;
  if (generates) return AttentionKind::kMath;
  constexpr int64_t kLargestHead = 128;
  const bool half = dtype == at::kBFloat16 || dtype == at::kHalf;
  return half && head_dim % 8 == 0 && head_dim <= kLargestHead ? AttentionKind::kCudnn : AttentionKind::kMath;
}

at::Tensor attention(const at::Tensor& q_BTNH,
                     const at::Tensor& k_BSKH,
                     const at::Tensor& v_BSKH,
                     const AttentionOptions& options) {
  const int64_t queries = q_BTNH.size(1);
  const int64_t window = options.sliding_window;
  const bool windowed = window > 0 && window < k_BSKH.size(1);
  // What even the first query no longer sees.
  const int64_t keys = windowed ? std::min(k_BSKH.size(1), window + queries - 1) : k_BSKH.size(1);
  const int64_t unseen = k_BSKH.size(1) - keys;
  const bool sees_all = queries == 1;
  const bool plainly_causal = !windowed && keys == queries && !sees_all;
  const std::optional<at::Tensor> mask =
      sees_all || plainly_causal
          ? std::nullopt
          : std::optional(causal_mask(queries, keys, windowed ? window : 0, q_BTNH.options()));
  const bool grouped = q_BTNH.size(2) != k_BSKH.size(2);
  const at::Tensor q = q_BTNH.transpose(1, 2);
  const at::Tensor k = k_BSKH.narrow(1, unseen, keys).transpose(1, 2);
  const at::Tensor v = v_BSKH.narrow(1, unseen, keys).transpose(1, 2);
  at::Tensor out_BNTH;
  switch (choose_attention(q.device(), q.scalar_type(), q.size(3), queries != k_BSKH.size(1))) {
    case AttentionKind::kAten:
      out_BNTH = at::scaled_dot_product_attention(q, k, v, mask, 0.0, plainly_causal, options.scale, grouped);
      break;
    case AttentionKind::kCudnn: {
      std::optional<at::Tensor> bias;
      if (mask) bias = mask->expand({q.size(0), q.size(1), queries, keys});
      out_BNTH = std::get<0>(at::_scaled_dot_product_cudnn_attention(q,
                                                                     k,
                                                                     v,
                                                                     bias,
                                                                     /*compute_log_sumexp=*/true,
                                                                     /*dropout_p=*/0.0,
                                                                     /*is_causal=*/plainly_causal,
                                                                     /*return_debug_mask=*/false,
                                                                     options.scale));
      break;
    }
    case AttentionKind::kMath:
      out_BNTH = std::get<0>(at::_scaled_dot_product_attention_math(
          q, k, v, mask, 0.0, plainly_causal, std::nullopt, options.scale, grouped));
      break;
  }
  return out_BNTH.transpose(1, 2).contiguous();
}

}  // namespace automodel::ops
