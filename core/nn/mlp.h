#pragma once

#include "core/nn/block_config.h"
#include "core/ops/linear.h"

namespace automodel::nn {

/// Pre-norm gated MLP: down(act(gate(x)) * up(x)).
struct Mlp {
  MlpConfig config;
  ops::Norm input_norm;
  ops::Linear gate_up;  ///< outputs F, F
  ops::Linear down;

  /// x [B, T, D] -> [B, T, D], the residual not added.
  at::Tensor forward(const at::Tensor& x_BTD, const ops::OpContext& context) const;
};

}  // namespace automodel::nn
