#pragma once

#include "core/tensor/torch.h"

namespace automodel::ops {

/// Rotates heads by their positions, see core/kernels/rope.h.
///
/// x         [B, T, N, H]  f32 | bf16, contiguous in its last two dims (a slice of a fused projection is
/// fine) cos, sin  [T, rotary_dim / 2]  f32, rotary_dim <= H returns   [B, T, N, H]  contiguous Saves nothing
/// but cos and sin.
at::Tensor rope(const at::Tensor& x_BTNH, const at::Tensor& cos, const at::Tensor& sin);

}  // namespace automodel::ops
