// Mamba-2: from its configuration and parameters to what runs.
#include "core/models/block_maker.h"

namespace automodel::models {
namespace {

nn::Mamba2 make_mamba2(const arch::LayerConfig& layer, const SegmentParameters& find) {
  const arch::Mamba2Config& config = layer.mamba2;
  nn::Mamba2 mamba2;
  mamba2.config = config;
  mamba2.input_norm = ops::Norm::none();
  mamba2.in_proj = find.linear({"mamba2.in"});
  mamba2.conv = causal_conv(find, "mamba2.conv");
  mamba2.space = {.a_log = find.get("mamba2.A_log"),
                  .dt_bias = find.get("mamba2.dt_bias"),
                  .d = find.get("mamba2.D"),
                  .num_heads = config.num_heads,
                  .head_dim = config.head_dim,
                  .num_groups = config.num_groups,
                  .state_size = config.state_size,
                  .dt_min = config.dt_min,
                  .dt_max = config.dt_max};
  mamba2.norm = {.weight = find.find("mamba2.norm.weight"),
                 .eps = config.norm_eps,
                 .group = config.inner_size() / config.norm_groups,
                 .order = config.gate};
  mamba2.out_proj = find.linear({"mamba2.out"});
  return mamba2;
}

nn::Mixer make(const arch::LayerConfig& layer, const SegmentParameters& find, const RopeTables& /*ropes*/) {
  return make_mamba2(layer, find);
}

}  // namespace

extern const BlockMaker kMakeMamba2;

const BlockMaker kMakeMamba2 = {
    .kind = arch::MixerKind::kMamba2, .make = make, .multipliers = [](const arch::LayerConfig& layer) {
      return layer.mamba2_multipliers;
    }};

}  // namespace automodel::models
