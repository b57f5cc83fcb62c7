#pragma once

#include <string_view>

#include "core/tensor/torch.h"

namespace automodel::ops {

struct AttentionOptions {
  double scale = 1.0;          ///< of q.k
  int64_t sliding_window = 0;  ///< a query sees this many latest positions, itself included; 0: all before it
};

/// Which implementation runs. Never ATen's default flash kernel on a GPU: it has half of cuDNN's speed there.
enum class AttentionKind {
  kAten,   ///< ATen's blocked attention on a CPU
  kCudnn,  ///< bf16 and f16, head_dim a multiple of 8 up to 128
  kMath,   ///< everything else on a GPU: holds scores [B, N, T, T]
};

/// `generates`: fewer queries than keys. cuDNN would plan anew for every number of keys.
AttentionKind choose_attention(at::Device device,
                               at::ScalarType dtype,
                               int64_t head_dim,
                               bool generates = false);

/// For logs: "cuDNN".
std::string_view name_of(AttentionKind kind);

/// Causal attention with grouped heads. Rows are right-padded: padding comes after every real token, so
/// causality alone keeps it out. The queries are those of the last T of S tokens (S > T: generation).
///
/// q [B, T, N, H], k, v [B, S, K, H], N a multiple of K, S >= T -> [B, T, N, H], contiguous
/// Saves q, k, v, the output and the log-sum-exp (kMath: the scores).
at::Tensor attention(const at::Tensor& q_BTNH,
                     const at::Tensor& k_BSKH,
                     const at::Tensor& v_BSKH,
                     const AttentionOptions& options);

}  // namespace automodel::ops
