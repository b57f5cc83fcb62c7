// B batch, T tokens, D hidden
#include "core/nn/delta_net.h"

namespace automodel::nn {

at::Tensor DeltaNet::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const ops::OpContext& context = in.context;
  Cache* const cache = in.cache;
  const int64_t heads = config.num_value_heads;
  const std::vector<at::Tensor> parts =
      ops::norm_linear(x_BTD, input_norm, in_proj, context)
          .split_with_sizes({config.conv_size(), config.value_size(), heads, heads}, 2);
  const at::Tensor &qkv = parts[0], &z = parts[1], &b = parts[2], &a = parts[3];
  at::Tensor mixed;
  if (cache) {
    check_one_document(in.tokens);
    mixed = ops::delta_rule_next(ops::causal_conv_next(qkv, conv, cache->state("delta_net.conv")),
                                 b,
                                 a,
                                 rule,
                                 cache->state("delta_net.rule"));
    cache->count(x_BTD.size(1));
  } else {
    const at::Tensor first_BT = ops::first_of_document(in.tokens.documents_BT);
    mixed = ops::delta_rule(ops::causal_conv(qkv, conv, first_BT, context), b, a, rule, first_BT, context);
  }
  return ops::gated_norm_linear(mixed, z, norm, out_proj, context);
}

}  // namespace automodel::nn
