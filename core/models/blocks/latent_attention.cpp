// Multi-head latent attention: from its configuration and parameters to what runs.
#include "core/models/block_maker.h"

namespace automodel::models {
namespace {

nn::LatentAttention make_latent_attention(const arch::LayerConfig& layer,
                                          const SegmentParameters& find,
                                          const RopeTables& ropes) {
  const arch::LatentAttentionConfig& config = layer.latent;
  nn::LatentAttention attention;
  attention.config = config;
  attention.config.dropout_site = find.dropout_site("attention", 0);
  attention.input_norm = ops::Norm::none();
  if (config.q_lora_rank > 0) {
    attention.q_down = find.linear({"latent.q_down"});
    attention.q_norm = find.norm("latent.q_norm", config.latent_norm);
  }
  attention.q_up = find.linear({config.q_lora_rank > 0 ? "latent.q_up" : "latent.q"});
  attention.kv_down = find.linear({"latent.kv_down"});
  attention.kv_norm = find.norm("latent.kv_norm", config.latent_norm);
  attention.kv_up = find.linear({"latent.kv_up"});
  attention.output = find.linear({"latent.o"});
  attention.rope = ropes.at(static_cast<size_t>(config.rope));
  return attention;
}

nn::Mixer make(const arch::LayerConfig& layer, const SegmentParameters& find, const RopeTables& ropes) {
  return make_latent_attention(layer, find, ropes);
}

}  // namespace

extern const BlockMaker kMakeLatentAttention;

const BlockMaker kMakeLatentAttention = {.kind = arch::MixerKind::kLatentAttention, .make = make};

}  // namespace automodel::models
