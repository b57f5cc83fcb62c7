#pragma once

#include <memory>

#include "core/arch/block_config.h"
#include "core/nn/mixer.h"
#include "core/nn/rope_table.h"
#include "core/ops/attention/attention.h"
#include "core/ops/attention/rope.h"
#include "core/ops/linear.h"

namespace automodel::nn {

/// Self-attention with grouped heads (Ainslie et al. 2023, arXiv:2305.13245) and everything that
/// AttentionConfig names.
struct Attention {
  arch::AttentionConfig config;
  ops::Norm input_norm;
  ops::Linear qkv;  ///< outputs N H (2 N H with an output gate), K H, K H
  ops::Norm q_norm,
      k_norm;  ///< read where config.qk_norm says so; kPerHeadWeights: weights [N, H], [K, H], no bias
  tensor::Weight sinks{};  ///< [N] where config.sinks
  ops::Linear output;
  std::shared_ptr<const RopeTable> rope;  ///< null: none

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;

 private:
  /// The heads of the fused projection [B, T, W], normalised, clipped and rotated, the first token at
  /// position `before`; `gate` [B, T, N, H] is set where there is one.
  ops::Heads heads_of(const at::Tensor& fused_BTW,
                      const MixerInput& in,
                      int64_t before,
                      at::Tensor& gate) const;
  ops::Heads slices_of(const at::Tensor& fused_BTW, at::Tensor& gate) const;
  void normalise(ops::Heads& heads, const ops::OpContext& context) const;
  ops::AttentionOptions options() const;
};

/// What attention reads of the tokens.
ops::AttentionRows attention_rows(const Tokens& tokens);

}  // namespace automodel::nn
