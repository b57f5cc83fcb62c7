// B batch, T tokens, D hidden
#include "core/nn/mamba2.h"

#include "core/nn/column_factors.h"

namespace automodel::nn {

at::Tensor Mamba2::project(const at::Tensor& x_BTD, const ops::OpContext& context) const {
  const auto& [z, x, b, c, dt] = config.part_multipliers;
  const int64_t shared = config.num_groups * config.state_size;
  return scale_columns(
      ops::norm_linear(x_BTD, input_norm, in_proj, context),
      {{z, config.inner_size()}, {x, config.inner_size()}, {b, shared}, {c, shared}, {dt, config.num_heads}});
}

at::Tensor Mamba2::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const ops::OpContext& context = in.context;
  Cache* const cache = in.cache;
  const std::vector<at::Tensor> parts =
      project(x_BTD, context)
          .split_with_sizes({config.inner_size(), config.conv_size(), config.num_heads}, 2);
  const at::Tensor &z = parts[0], &x_B_C = parts[1], &dt = parts[2];
  at::Tensor scanned;
  if (cache) {
    check_one_document(in.tokens);
    scanned = ops::ssd_next(ops::causal_conv_next(x_B_C, conv, cache->state("mamba2.conv")),
                            dt,
                            space,
                            cache->state("mamba2.scan"));
    cache->count(x_BTD.size(1));
  } else {
    const at::Tensor first_BT = ops::first_of_document(in.tokens.documents_BT);
    scanned = ops::ssd(ops::causal_conv(x_B_C, conv, first_BT, context), dt, space, first_BT, context);
  }
  return ops::gated_norm_linear(scanned, z, norm, out_proj, context);
}

}  // namespace automodel::nn
