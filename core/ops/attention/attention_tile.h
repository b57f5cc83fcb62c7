#pragma once

// For core/ops/attention*.cpp only: one tile of an AttentionPlan, by each implementation.

#include "core/tensor/torch.h"

namespace automodel::ops {

/// One tile: B rows, T queries, S keys, N query heads, K key heads (N a multiple of K), H dims of queries and
/// keys, V dims of values. Heads come before tokens.
struct TileInput {
  at::Tensor q_BNTH, k_BKSH, v_BKSV;
  at::Tensor mask{};  ///< as AttentionTile's
  bool causal = false;
  double scale = 1.0;
  double softcap = 0.0;
  at::Tensor dropped_BNTS{};  ///< 0 or 1 / (1 - p), of the probabilities; undefined: nothing is dropped
};

struct TileOutput {
  at::Tensor out_BNTV;
  at::Tensor lse_BNT;           ///< log of the sum of exp(score), in the type of sums (dispatch.h)
  at::Tensor seed{}, offset{};  ///< cuDNN's own
};

struct TileGrads {
  at::Tensor dq_BNTH, dk_BKSH, dv_BKSV;
};

/// Blocks of scores that stay in the cache, online softmax (Dao et al. 2022, arXiv:2205.14135); f32 and f64
/// on a CPU. Gradients and output lie with tokens before heads. A query that sees nothing gets zeros and an
/// lse of -infinity. The backward takes any out and lse, as plain_backward.
TileOutput blocked_forward(const TileInput& in);
TileGrads blocked_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV);

/// ATen's for CPUs, and cuDNN's. Values of another head_dim than the keys' are padded on the way.
TileOutput aten_forward(const TileInput& in);
TileGrads aten_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV);
TileOutput cudnn_forward(const TileInput& in);
TileGrads cudnn_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV);

/// By plain products, with scores in memory. The backward takes any out and lse with probabilities
/// exp(score - lse), so also those of a softmax with more terms.
TileOutput plain_forward(const TileInput& in);
TileGrads plain_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV);

}  // namespace automodel::ops
