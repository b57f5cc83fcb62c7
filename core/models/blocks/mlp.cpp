// The MLP: from its configuration and parameters to what runs.
#include "core/models/block_maker.h"

namespace automodel::models {
namespace {

nn::Mlp make_mlp(const arch::LayerConfig& layer, const SegmentParameters& find) {
  nn::Mlp mlp;
  mlp.config = layer.mlp;
  mlp.input_norm = ops::Norm::none();
  mlp.up = layer.mlp.gated ? find.fused_or("mlp.gate_up", {"mlp.gate", "mlp.up"}) : find.linear({"mlp.up"});
  mlp.down = find.linear({"mlp.down"});
  return mlp;
}

nn::Mixer make(const arch::LayerConfig& layer, const SegmentParameters& find, const RopeTables& /*ropes*/) {
  return make_mlp(layer, find);
}

}  // namespace

extern const BlockMaker kMakeMlp;

const BlockMaker kMakeMlp = {
    .kind = arch::FeedForwardKind::kMlp, .make = make, .multipliers = [](const arch::LayerConfig& layer) {
      return layer.mlp_multipliers;
    }};

}  // namespace automodel::models
