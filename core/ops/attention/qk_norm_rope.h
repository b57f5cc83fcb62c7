#pragma once

#include "core/ops/attention/rope.h"
#include "core/ops/linear.h"

namespace automodel::ops {

/// Whether qk_norm_rope computes this: both are RMS norms with weights and without bias, and on a GPU heads
/// rotate whole, by halves (kernels::qk_norm_rope_fits).
bool can_norm_and_rotate(const at::Tensor& qkv_BTW,
                         int64_t num_kv_heads,
                         int64_t head_dim,
                         const Norm& q_norm,
                         const Norm& k_norm,
                         const RopeAngles& angles);

/// Splits a fused projection [B, T, (N + 2 K) H] into heads; those of q and k are normalised over H, then
/// rotated, in one pass each way: norm() and rope() of each, but for the order in which the norms' gradients
/// and, on a GPU, the squares of a head are summed. f32 | bf16, on a CPU also f64. Saves qkv, statistics of
/// its heads, cos and sin. Throws Error(kInvalidArgument) where angles and heads do not fit.
Heads qk_norm_rope(const at::Tensor& qkv_BTW,
                   int64_t num_kv_heads,
                   int64_t head_dim,
                   const Norm& q_norm,
                   const Norm& k_norm,
                   const RopeAngles& angles,
                   const OpContext& context);

}  // namespace automodel::ops
