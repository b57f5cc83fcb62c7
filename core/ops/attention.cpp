#include "core/ops/attention.h"

#include <limits>

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

at::Tensor attention(const at::Tensor& q_BTNH,
                     const at::Tensor& k_BTKH,
                     const at::Tensor& v_BTKH,
                     const AttentionOptions& options) {
  const int64_t length = q_BTNH.size(1);
  const bool windowed = options.sliding_window > 0 && options.sliding_window < length;
  const std::optional<at::Tensor> mask =
      windowed ? std::optional(window_mask(length, options.sliding_window, q_BTNH.options())) : std::nullopt;
  const bool grouped = q_BTNH.size(2) != k_BTKH.size(2);
  const at::Tensor out_BNTH = at::scaled_dot_product_attention(q_BTNH.transpose(1, 2),
                                                               k_BTKH.transpose(1, 2),
                                                               v_BTKH.transpose(1, 2),
                                                               mask,
                                                               /*dropout_p=*/0.0,
                                                               /*is_causal=*/!windowed,
                                                               options.scale,
                                                               grouped);
  return out_BNTH.transpose(1, 2).contiguous();
}

}  // namespace automodel::ops
