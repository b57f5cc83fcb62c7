// Multi-head latent attention: its module names, parameters and cost.
#include "core/weights/model_block.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

void add_latent_attention(ParameterList& list,
                          const arch::LatentAttentionConfig& latent,
                          int64_t hidden_size) {
  const int64_t q_size = latent.num_heads * latent.qk_head_dim();
  if (latent.q_lora_rank > 0) {
    list.linear("latent.q_down", latent.q_lora_rank, hidden_size, latent.bias);
    list.norm("latent.q_norm", latent.q_lora_rank, latent.latent_norm);
    list.linear("latent.q_up", q_size, latent.q_lora_rank, false);
  } else {
    list.linear("latent.q", q_size, hidden_size, false);
  }
  list.linear("latent.kv_down", latent.kv_lora_rank + latent.qk_rope_head_dim, hidden_size, latent.bias);
  list.norm("latent.kv_norm", latent.kv_lora_rank, latent.latent_norm);
  list.linear("latent.kv_up",
              latent.num_heads * (latent.qk_nope_head_dim + latent.v_head_dim),
              latent.kv_lora_rank,
              false);
  list.linear("latent.o", hidden_size, latent.num_heads * latent.v_head_dim, latent.bias);
}

void add_parameters(ParameterList& list, const arch::LayerConfig& layer, const arch::DecoderConfig& config) {
  add_latent_attention(list, layer.latent, config.hidden_size);
}

void add_cost(Cost& cost, const arch::LayerConfig& layer) {
  cost.flops_per_position +=
      flops_of(layer.latent.num_heads * (layer.latent.qk_head_dim() + layer.latent.v_head_dim));
}

std::string text(const arch::LayerConfig& /*layer*/) {
  return "full";
}

}  // namespace

extern const ModelBlock kLatentAttention;

const ModelBlock kLatentAttention = {
    .kind = arch::MixerKind::kLatentAttention,
    .roles =
        {
            {"latent.q", "queries of the residual stream, where q_lora_rank is 0"},
            {"latent.q_down", "the latent of the queries, where q_lora_rank is above 0"},
            {"latent.q_norm", "norm of the latent of queries"},
            {"latent.q_up", "queries of their latent"},
            {"latent.kv_down", "the latent of keys and values, then the key that all heads share"},
            {"latent.kv_norm", "norm of the latent of keys and values"},
            {"latent.kv_up", "keys and values of their latent"},
            {"latent.o", "output projection"},
        },
    .parts = {{"latent.", Part::kAttention}},
    .add_parameters = add_parameters,
    .add_cost = add_cost,
    .text = text,
};

}  // namespace automodel::weights
