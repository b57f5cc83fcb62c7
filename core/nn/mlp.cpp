#include "core/nn/mlp.h"

namespace automodel::nn {

at::Tensor Mlp::forward(const at::Tensor& x_BTD, const ops::OpContext& context) const {
  const at::Tensor projected = ops::norm_linear(x_BTD, input_norm, gate_up, context);
  return ops::gated_linear(projected, config.activation, down, context);
}

}  // namespace automodel::nn
