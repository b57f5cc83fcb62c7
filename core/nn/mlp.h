#pragma once

#include "core/arch/block_config.h"
#include "core/nn/mixer.h"
#include "core/ops/linear.h"

namespace automodel::nn {

/// down(act(gate(x)) * up(x)) with x normalised, or without a gate down(act(up(x))); see mixer.h.
struct Mlp {
  arch::MlpConfig config;
  ops::Norm input_norm;
  ops::Linear up;  ///< outputs F, or gate's F and up's F
  ops::Linear down;

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;

  /// x + addend + forward(x + addend): the residual stream after a mixer's output and this one's. All [B, T,
  /// D].
  at::Tensor add_forward_add(const at::Tensor& x_BTD,
                             const at::Tensor& addend_BTD,
                             const MixerInput& in) const;
};

}  // namespace automodel::nn
