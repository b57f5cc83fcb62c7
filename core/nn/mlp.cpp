#include "core/nn/mlp.h"

#include "core/nn/column_factors.h"

namespace automodel::nn {

namespace {

at::Tensor activated(const Mlp& mlp, const at::Tensor& projected, const MixerInput& in) {
  const arch::MlpConfig& config = mlp.config;
  if (!config.gated) return ops::activated_linear(projected, config.activation, mlp.down, in.context);
  const at::Tensor scaled = scale_columns(
      projected, {{config.gate_multiplier, config.intermediate_size}, {1.0, config.intermediate_size}});
  return ops::glu_linear(scaled, config.activation, mlp.down, in.context);
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
