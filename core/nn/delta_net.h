#pragma once

#include "core/arch/delta_net_config.h"
#include "core/nn/mixer.h"
#include "core/ops/gated_norm.h"
#include "core/ops/scan/causal_conv.h"
#include "core/ops/scan/delta_rule.h"

namespace automodel::nn {

/// out(norm(delta_rule(silu(conv(q, k, v)), b, a)) silu(z)) with (q, k, v, z, b, a) = in(x); see mixer.h.
/// Documents of a row neither convolve nor scan over each other. The cache keeps the convolution's last
/// inputs and the state.
struct DeltaNet {
  arch::DeltaNetConfig config;
  ops::Norm input_norm;
  ops::Linear in_proj;
  ops::CausalConv conv;
  ops::DeltaRule rule;
  ops::GatedNorm norm;  ///< of each value head
  ops::Linear out_proj;

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;
};

}  // namespace automodel::nn
