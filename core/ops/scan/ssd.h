#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// A selective state space with one decay a head (Mamba-2; Dao & Gu 2024, arXiv:2405.21060):
///   dt = clamp(softplus(dt_in + dt_bias), dt_min, dt_max),  S[t] = exp(-exp(A_log) dt) S[t-1] + B_t (dt
///   x_t)^T, y_t = C_t S[t] + D x_t
struct StateSpace {
  tensor::Weight a_log;    ///< [H]
  tensor::Weight dt_bias;  ///< [H]
  tensor::Weight d;        ///< [H]
  int64_t num_heads = 0;   ///< H
  int64_t head_dim = 0;    ///< P
  int64_t num_groups = 1;  ///< G, of heads that share B and C
  int64_t state_size = 0;  ///< N
  double dt_min = 0.0;
  double dt_max = 0.0;  ///< infinity: no limit
  int64_t chunk = 64;   ///< tokens of one matrix product; without effect on the result but for rounding
  bool tiles = true;    ///< a CPU works head by head in its cache, else as a device; effect as of `chunk`
};

/// x_B_C [B, T, H P + 2 G N], contiguous, and dt_in [B, T, H]; f32, bf16, on a CPU also f64 -> [B, T, H P].
/// The state ends at borders of documents: `first_BT` as first_of_document (causal_conv.h) gives it. Computed
/// in f32. Saves its inputs; everything else is formed anew at backward.
at::Tensor ssd(const at::Tensor& x_B_C,
               const at::Tensor& dt_in_BTH,
               const StateSpace& space,
               const at::Tensor& first_BT,
               const OpContext& context);

/// The scan of tokens that follow others, without a graph: `state` [B G, N, H / G, P] f32 is that before the
/// tokens, undefined at first, and becomes that after them.
at::Tensor ssd_next(const at::Tensor& x_B_C,
                    const at::Tensor& dt_in_BTH,
                    const StateSpace& space,
                    at::Tensor& state);

}  // namespace automodel::ops
