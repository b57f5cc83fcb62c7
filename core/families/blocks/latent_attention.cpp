// Fields of multi-head latent attention.
#include "core/families/field_setters.h"

namespace automodel::families {

std::vector<Field> latent_attention_fields();

std::vector<Field> latent_attention_fields() {
  return {
      {"q_lora_rank",
       "width of the latent of queries; 0: queries are projected directly",
       size(OF(layer.latent.q_lora_rank), 0)},
      {"kv_lora_rank", "width of the latent of keys and values", size(OF(layer.latent.kv_lora_rank), 1)},
      {"qk_nope_head_dim",
       "dims of a head's key without position",
       size(OF(layer.latent.qk_nope_head_dim), 0)},
      {"qk_rope_head_dim",
       "dims of the key that heads share, which rotate; head_dim is the same",
       size(OF(layer.latent.qk_rope_head_dim), 2)},
      {"v_head_dim", "dims of a head's value", size(OF(layer.latent.v_head_dim), 1)},
      {"latent_bias",
       "bias of the projections to latents and of the output",
       yes_or_no(OF(layer.latent.bias))},
      {"latent_norm_eps",
       "added to the mean square in the norms of latents",
       number(OF(layer.latent.latent_norm.eps))},
  };
}

}  // namespace automodel::families
