#pragma once

// For core/ops/*.cpp only: heads as rows of kernels.

#include "core/tensor/torch.h"

#include "core/kernels/qkv_rope.h"
#include "core/ops/attention/rope.h"

namespace automodel::ops {

/// [B, T, N, H] with one distance from row to row and contiguous rows: itself where it is so already.
inline at::Tensor as_head_rows(const at::Tensor& x_BTNH) {
  const bool evenly_spaced = x_BTNH.stride(0) == x_BTNH.stride(1) * x_BTNH.size(1) &&
                             x_BTNH.stride(2) == x_BTNH.size(3) && x_BTNH.stride(3) == 1;
  return evenly_spaced ? x_BTNH : x_BTNH.contiguous();
}

template <class T>
kernels::HeadRows<const T> head_rows(const at::Tensor& x) {
  if (!x.defined()) return {};
  return {static_cast<const T*>(x.const_data_ptr()), x.stride(1)};
}

/// Slices of [B, T, (N + 2 K) H].
inline Heads split_heads(const at::Tensor& qkv_BTW, int64_t num_kv_heads, int64_t head_dim) {
  const int64_t num_heads = qkv_BTW.size(2) / head_dim - 2 * num_kv_heads;
  const auto heads = [&](int64_t first, int64_t count) {
    return qkv_BTW.narrow(2, first * head_dim, count * head_dim)
        .view({qkv_BTW.size(0), qkv_BTW.size(1), count, head_dim});
  };
  return {heads(0, num_heads), heads(num_heads, num_kv_heads), heads(num_heads + num_kv_heads, num_kv_heads)};
}

/// Throws Error(kInvalidArgument) unless the angles are of `tokens` [B, T] and within a head.
inline void check_angles(const kernels::QkvRopeShape& shape, at::IntArrayRef tokens) {
  check(shape.positions == tokens[1] || shape.positions == tokens[0] * tokens[1],
        ErrorCode::kInvalidArgument,
        "rope: angles of ",
        shape.positions,
        " positions for ",
        tokens,
        " tokens");
  check(shape.first_dim + shape.rotary_dim <= shape.head_dim,
        ErrorCode::kInvalidArgument,
        "rope: dims ",
        shape.first_dim,
        " to ",
        shape.first_dim + shape.rotary_dim,
        " of ",
        shape.head_dim);
}

}  // namespace automodel::ops
