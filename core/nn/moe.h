#pragma once

#include "core/arch/moe_config.h"
#include "core/nn/mixer.h"
#include "core/ops/linear.h"
#include "core/ops/moe/experts.h"
#include "core/ops/moe/route.h"

namespace automodel::nn {

/// What routers leave behind: sums over the layers so far for the auxiliary loss, and the last layer's load.
/// Tokens of padding (Tokens::documents_BT < 0) are not counted.
struct RouterStats {
  at::Tensor
      probabilities_E;   ///< f32 (f64): softmax of the logits, summed over layers and tokens; has a graph
  at::Tensor choices_E;  ///< f32: how often each expert is among the top_k of that softmax
  at::Tensor tokens;     ///< scalar f32: summed over layers
  at::Tensor tokens_per_expert_E;  ///< f32: tokens that this layer sent to each expert
};

/// num_experts * sum over experts of (choices / tokens) * (probabilities / tokens), as
/// load_balancing_loss_func of transformers.
at::Tensor load_balancing_loss(const RouterStats& stats);

/// score_bias += rate * sign(mean load - load), [E] f32; load [E] of all tokens of the step.
void update_score_bias(at::Tensor& score_bias, const at::Tensor& load, double rate);

/// Mixture of experts: each token passes its top_k experts and the shared one.
struct Moe {
  arch::MoeConfig config;
  ops::Norm input_norm;
  ops::Linear router;           ///< output E
  tensor::Weight score_bias{};  ///< [E] f32, in a unit that does not learn; a null handle: none
  ops::Experts experts;
  ops::Linear latent_in{};  ///< to the width of the experts; without weights: none
  ops::Linear latent_out{};
  ops::Linear shared_gate_up{};  ///< outputs F, F, or F without a gate; without weights: none
  ops::Linear shared_down{};
  ops::Linear shared_gate{};  ///< output 1; without weights: none

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;

 private:
  /// Also tells in.router of it.
  ops::Routing choose(const at::Tensor& x_TD, const MixerInput& in) const;
  at::Tensor shared(const at::Tensor& x_TD, const ops::OpContext& context) const;
  void record(const at::Tensor& logits_TE, const at::Tensor& choice, const MixerInput& in) const;
};

}  // namespace automodel::nn
