// Gated DeltaNet: its module names, parameters and cost.
#include "core/weights/model_block.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

void add_delta_net(ParameterList& list, const arch::DeltaNetConfig& delta_net, int64_t hidden_size) {
  using Init = ParameterSpec::Init;
  const int64_t keys = delta_net.key_size();
  const int64_t values = delta_net.value_size();
  const int64_t heads = delta_net.num_value_heads;
  list.conv("delta_net.conv", delta_net.conv_size(), delta_net.conv_kernel, /*bias=*/false);
  if (list.has("delta_net.qkvz")) {
    list.fused(
        "delta_net.qkvz", {keys, keys, values, values}, delta_net.num_key_heads, hidden_size, /*bias=*/false);
    list.fused("delta_net.ba", {heads, heads}, delta_net.num_key_heads, hidden_size, /*bias=*/false);
    list.norm("delta_net.norm", {delta_net.value_head_dim}, /*weight=*/true, /*bias=*/false);
    list.linear("delta_net.out", hidden_size, values, false);
  } else {
    list.norm("delta_net.norm", {delta_net.value_head_dim}, /*weight=*/true, /*bias=*/false);
    list.linear("delta_net.out", hidden_size, values, false);
    list.linear("delta_net.qkv", delta_net.conv_size(), hidden_size, false);
    list.linear("delta_net.z", values, hidden_size, false);
    list.linear("delta_net.b", heads, hidden_size, false);
    list.linear("delta_net.a", heads, hidden_size, false);
  }
  list.constant("delta_net.dt_bias", {heads}, Init::kOnes);
  list.constant("delta_net.A_log", {heads}, Init::kLogUniform);
}

void add_parameters(ParameterList& list, const arch::LayerConfig& layer, const arch::DecoderConfig& config) {
  add_delta_net(list, layer.delta_net, config.hidden_size);
}

void add_cost(Cost& cost, const arch::LayerConfig& layer) {
  cost.flops += flops_of(3 * layer.delta_net.value_size() * layer.delta_net.key_head_dim);
}

std::string text(const arch::LayerConfig& /*layer*/) {
  return "DeltaNet";
}

}  // namespace

extern const ModelBlock kDeltaNet;

const ModelBlock kDeltaNet = {
    .kind = arch::MixerKind::kDeltaNet,
    .roles =
        {
            {"delta_net.qkv", "projection to queries, keys and values of a DeltaNet"},
            {"delta_net.z", "output gate of a DeltaNet"},
            {"delta_net.b", "beta: how strongly a token is written"},
            {"delta_net.a", "alpha: decay of the state before a token"},
            {"delta_net.qkvz", "one projection for queries, keys, values and gate, instead of them"},
            {"delta_net.ba", "one projection for b and a, with it"},
            {"delta_net.conv", "convolution of a DeltaNet"},
            {"delta_net.norm", "norm of a DeltaNet's heads"},
            {"delta_net.out", "output projection of a DeltaNet"},
            {"delta_net.A_log", "decays of a DeltaNet; a tensor of that name, no module"},
            {"delta_net.dt_bias", "bias of a DeltaNet's decays; a tensor"},
        },
    .parts = {{"delta_net.", Part::kDeltaNet}},
    .add_parameters = add_parameters,
    .add_cost = add_cost,
    .text = text,
};

}  // namespace automodel::weights
