#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// Depthwise causal convolution over time, see core/kernels/causal_conv.h.
struct CausalConv {
  tensor::Weight weight;  ///< [C, 1, K], as torch's Conv1d
  tensor::Weight bias{};  ///< [C]; a null handle: none
  bool silu = true;       ///< SiLU of the result
};

/// The first token of each token's document: documents [B, T] (core/nn/mixer.h) -> [B, T] int32, positions in
/// the row. Undefined documents give an undefined tensor: rows are one document each.
at::Tensor first_of_document(const at::Tensor& documents_BT);

/// x [B, T, C] f32, bf16, on a CPU also f64; any distance between tokens -> [B, T, C], contiguous. Taps read
/// x of the token's own document only: `first_BT` as first_of_document gives it. Saves x; what lies under the
/// activation is formed anew at backward.
at::Tensor causal_conv(const at::Tensor& x_BTC,
                       const CausalConv& conv,
                       const at::Tensor& first_BT,
                       const OpContext& context);

/// The convolution of tokens that follow others, without a graph: `state` [B, K-1, C] holds the inputs before
/// x, undefined at first, and is replaced by those before the next token.
at::Tensor causal_conv_next(const at::Tensor& x_BTC, const CausalConv& conv, at::Tensor& state);

}  // namespace automodel::ops
