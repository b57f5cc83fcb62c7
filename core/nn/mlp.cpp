#include "core/nn/mlp.h"

namespace automodel::nn {

namespace {

at::Tensor activated(const Mlp& mlp, const at::Tensor& projected, const MixerInput& in) {
  return mlp.config.gated ? ops::gated_linear(projected, mlp.config.activation, mlp.down, in.context)
                          : ops::activated_linear(projected, mlp.config.activation, mlp.down, in.context);
}

}  // namespace

at::Tensor Mlp::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  return activated(*this, ops::norm_linear(x_BTD, input_norm, up, in.context), in);
}

at::Tensor Mlp::add_forward_add(const at::Tensor& x_BTD,
                                const at::Tensor& addend_BTD,
                                const MixerInput& in) const {
  const auto [sum_BTD, projected] = ops::add_norm_linear(x_BTD, addend_BTD, input_norm, up, in.context);
  return sum_BTD + activated(*this, projected, in);
}

}  // namespace automodel::nn
