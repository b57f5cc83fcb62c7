#pragma once

#include "core/tensor/torch.h"

namespace automodel::ops {

struct AttentionOptions {
  double scale = 1.0;          ///< of q.k
  int64_t sliding_window = 0;  ///< a query sees this many latest positions, itself included; 0: all before it
};

/// Causal attention with grouped heads. Rows are right-padded: padding comes after every real token, so
/// causality alone keeps it out.
///
/// q [B, T, N, H], k, v [B, T, K, H], N a multiple of K -> [B, T, N, H], contiguous
/// Saves q, k, v, the output and the log-sum-exp. On a CPU: ATen's blocked attention.
at::Tensor attention(const at::Tensor& q_BTNH,
                     const at::Tensor& k_BTKH,
                     const at::Tensor& v_BTKH,
                     const AttentionOptions& options);

}  // namespace automodel::ops
