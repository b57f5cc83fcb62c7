#pragma once

#include <memory>

#include "core/nn/block_config.h"
#include "core/nn/mixer.h"
#include "core/nn/rope_table.h"
#include "core/ops/linear.h"
#include "core/ops/rope.h"

namespace automodel::nn {

/// Pre-norm causal self-attention with grouped heads (Ainslie et al. 2023, arXiv:2305.13245).
struct Attention {
  AttentionConfig config;
  ops::Norm input_norm;
  ops::Linear qkv;           ///< outputs N H, K H, K H
  ops::Norm q_norm, k_norm;  ///< null weights unless config.qk_norm is kPerHead
  ops::Linear output;
  std::shared_ptr<const RopeTable> rope;  ///< null: none

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;

 private:
  /// Normalises and rotates q and k of the fused projection [B, T, (N + 2 K) H], the first token at position
  /// `before`.
  ops::Heads split_heads(const at::Tensor& fused_BTW, int64_t before, const ops::OpContext& context) const;
};

}  // namespace automodel::nn
