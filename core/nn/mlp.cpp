#include "core/nn/mlp.h"

namespace automodel::nn {

at::Tensor Mlp::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const at::Tensor projected = ops::norm_linear(x_BTD, input_norm, up, in.context);
  return config.gated ? ops::gated_linear(projected, config.activation, down, in.context)
                      : ops::activated_linear(projected, config.activation, down, in.context);
}

}  // namespace automodel::nn
