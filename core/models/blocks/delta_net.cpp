// Gated DeltaNet: from its configuration and parameters to what runs.
#include "core/models/block_maker.h"

namespace automodel::models {
namespace {

nn::DeltaNet make_delta_net(const arch::LayerConfig& layer, const SegmentParameters& find) {
  const arch::DeltaNetConfig& config = layer.delta_net;
  nn::DeltaNet delta_net;
  delta_net.config = config;
  delta_net.input_norm = ops::Norm::none();
  delta_net.in_proj = find.has("delta_net.qkvz")
                          ? find.linear({"delta_net.qkvz", "delta_net.ba"})
                          : find.linear({"delta_net.qkv", "delta_net.z", "delta_net.b", "delta_net.a"});
  delta_net.conv = causal_conv(find, "delta_net.conv");
  delta_net.rule = {.a_log = find.get("delta_net.A_log"),
                    .dt_bias = find.get("delta_net.dt_bias"),
                    .num_key_heads = config.num_key_heads,
                    .num_value_heads = config.num_value_heads,
                    .key_head_dim = config.key_head_dim,
                    .value_head_dim = config.value_head_dim};
  delta_net.norm = {.weight = find.get("delta_net.norm.weight"),
                    .eps = config.norm_eps,
                    .group = config.value_head_dim,
                    .order = kernels::GateOrder::kNormFirst};
  delta_net.out_proj = find.linear({"delta_net.out"});
  return delta_net;
}

nn::Mixer make(const arch::LayerConfig& layer, const SegmentParameters& find, const RopeTables& /*ropes*/) {
  return make_delta_net(layer, find);
}

}  // namespace

extern const BlockMaker kMakeDeltaNet;

const BlockMaker kMakeDeltaNet = {.kind = arch::MixerKind::kDeltaNet, .make = make};

}  // namespace automodel::models
