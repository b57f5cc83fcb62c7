#pragma once

#include "core/tensor/torch.h"

namespace automodel::ops {

/// How far the pairs of dims of a head turn, see core/kernels/qkv_rope.h.
struct RopeAngles {
  at::Tensor cos, sin;       ///< [T, rotary_dim / 2] f32, one row a position; or [B T, ...], one row a token
  bool interleaved = false;  ///< dims 2i and 2i + 1 turn together, not i and i + rotary_dim / 2
  int64_t first_dim = 0;     ///< of the rotating ones
};

/// Rotates heads by their positions (Su et al. 2021, arXiv:2104.09864).
///
/// x        [B, T, N, H]  f32 | bf16, on a CPU also f64; may be a slice of a fused projection
/// angles   first_dim + rotary_dim <= H, else Error(kInvalidArgument)
/// returns  [B, T, N, H]  contiguous
/// Saves nothing but cos and sin.
at::Tensor rope(const at::Tensor& x_BTNH, const RopeAngles& angles);

/// The heads of one attention, slices of one buffer.
struct Heads {
  at::Tensor q_BTNH;
  at::Tensor k_BTKH;
  at::Tensor v_BTKH;
};

/// Splits a fused projection [B, T, (N + 2 K) H] into heads, q and k rotated, in one pass each way. Saves
/// nothing but cos and sin; the projection itself is not needed any more.
Heads rope_qkv(const at::Tensor& qkv_BTW, int64_t num_kv_heads, int64_t head_dim, const RopeAngles& angles);

}  // namespace automodel::ops
