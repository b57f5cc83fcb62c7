#pragma once

#include "core/arch/mamba2_config.h"
#include "core/nn/mixer.h"
#include "core/ops/gated_norm.h"
#include "core/ops/scan/causal_conv.h"
#include "core/ops/scan/ssd.h"

namespace automodel::nn {

/// out(norm_and_gate(scan(silu(conv(x, B, C)), dt), z)) with (z, x, B, C, dt) = in(x); see mixer.h. Documents
/// of a row neither convolve nor scan over each other. The cache keeps the convolution's last inputs and the
/// state.
struct Mamba2 {
  arch::Mamba2Config config;
  ops::Norm input_norm;
  ops::Linear in_proj;
  ops::CausalConv conv;
  ops::StateSpace space;
  ops::GatedNorm norm;
  ops::Linear out_proj;

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;

 private:
  at::Tensor project(const at::Tensor& x_BTD, const ops::OpContext& context) const;
};

}  // namespace automodel::nn
