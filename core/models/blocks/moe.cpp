// Mixture of experts: from its configuration and parameters to what runs.
#include "core/models/block_maker.h"

namespace automodel::models {
namespace {

nn::Moe make_moe(const arch::LayerConfig& layer, const SegmentParameters& find) {
  nn::Moe moe;
  moe.config = layer.moe;
  moe.input_norm = ops::Norm::none();
  moe.router = find.linear({"moe.router"});
  if (layer.moe.router.score_bias) moe.score_bias = find.get("moe.score_bias");
  const std::string up = layer.moe.gate.gated ? "moe.experts.gate_up" : "moe.experts.up";
  moe.experts = {.gate_up = find.get(up + ".weight"),
                 .down = find.get("moe.experts.down.weight"),
                 .gate_up_bias = find.find(up + ".bias"),
                 .down_bias = find.find("moe.experts.down.bias"),
                 .gate = layer.moe.gate,
                 .apply_router_weight_on_input = layer.moe.apply_router_weight_on_input};
  if (layer.moe.latent_size > 0) {
    moe.latent_in = find.linear({"moe.latent_in"});
    moe.latent_out = find.linear({"moe.latent_out"});
  }
  if (layer.moe.shared_intermediate_size == 0) return moe;
  moe.shared_gate_up = layer.moe.gate.gated
                           ? find.fused_or("moe.shared.gate_up", {"moe.shared.gate", "moe.shared.up"})
                           : find.linear({"moe.shared.up"});
  moe.shared_down = find.linear({"moe.shared.down"});
  if (layer.moe.shared_gate) moe.shared_gate = find.linear({"moe.shared_gate"});
  return moe;
}

nn::Mixer make(const arch::LayerConfig& layer, const SegmentParameters& find, const RopeTables& /*ropes*/) {
  return make_moe(layer, find);
}

}  // namespace

extern const BlockMaker kMakeMoe;

const BlockMaker kMakeMoe = {.kind = arch::FeedForwardKind::kMoe, .make = make};

}  // namespace automodel::models
