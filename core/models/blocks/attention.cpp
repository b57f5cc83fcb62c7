// Attention: from its configuration and parameters to what runs.
#include "core/models/block_maker.h"

namespace automodel::models {
namespace {

nn::Attention make_attention(const arch::LayerConfig& layer,
                             const SegmentParameters& find,
                             const RopeTables& ropes) {
  nn::Attention attention;
  attention.config = layer.attention;
  attention.config.dropout_site = find.dropout_site("attention", 0);
  attention.input_norm = ops::Norm::none();
  attention.qkv = find.fused_or("attention.qkv", {"attention.q", "attention.k", "attention.v"});
  attention.output = find.linear({"attention.o"});
  if (layer.attention.qk_norm != arch::QkNorm::kNone) {
    attention.q_norm = find.norm("attention.q_norm", layer.attention.head_norm);
    attention.k_norm = find.norm("attention.k_norm", layer.attention.head_norm);
  }
  if (layer.attention.sinks) attention.sinks = find.get("attention.sinks");
  if (layer.attention.rope >= 0) attention.rope = ropes.at(static_cast<size_t>(layer.attention.rope));
  return attention;
}

nn::Mixer make(const arch::LayerConfig& layer, const SegmentParameters& find, const RopeTables& ropes) {
  return make_attention(layer, find, ropes);
}

}  // namespace

extern const BlockMaker kMakeAttention;

const BlockMaker kMakeAttention = {
    .kind = arch::MixerKind::kAttention, .make = make, .multipliers = [](const arch::LayerConfig& layer) {
      return layer.attention_multipliers;
    }};

}  // namespace automodel::models
