#pragma once

#include "core/tensor/torch.h"

namespace automodel::ops {

/// Rotates heads by their positions, see core/kernels/qkv_rope.h.
///
/// x         [B, T, N, H]  f32 | bf16, on a CPU also f64; contiguous in its last two dims (a slice of a fused
///                         projection is fine)
/// cos, sin  [T, rotary_dim / 2]  f32, rotary_dim <= H
/// returns   [B, T, N, H]  contiguous
/// Saves nothing but cos and sin.
at::Tensor rope(const at::Tensor& x_BTNH, const at::Tensor& cos, const at::Tensor& sin);

/// The heads of one attention, slices of one buffer.
struct Heads {
  at::Tensor q_BTNH;
  at::Tensor k_BTKH;
  at::Tensor v_BTKH;
};

/// Splits a fused projection [B, T, (N + 2 K) H] into heads, q and k rotated, in one pass each way. Saves
/// nothing but cos and sin; the projection itself is not needed any more.
Heads rope_qkv(const at::Tensor& qkv_BTW,
               int64_t num_kv_heads,
               int64_t head_dim,
               const at::Tensor& cos,
               const at::Tensor& sin);

}  // namespace automodel::ops
