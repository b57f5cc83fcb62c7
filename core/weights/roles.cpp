#include "core/weights/roles.h"

namespace automodel::weights {

const std::vector<Role>& roles() {
  static const std::vector<Role> kRoles = {
      {"embed", "table of token ids [vocabulary, hidden]"},
      {"positions", "table of learned positions, where fields say positions"},
      {"token_types", "table of token types, where fields say num_token_types"},
      {"norm.embed", "the norm of the embeddings' sum, where embed_norm"},
      {"norm.final", "the norm before the head, where final_norm"},
      {"head", "the output projection, where it is not tied; its bias"},
      {"head.transform", "the projection before it, where head_transform"},
      {"norm.head", "the norm behind that"},
      {"classifier", "projection to a logit a label"},
      {"classifier.transform", "the projection before it, where classifier_transform"},
      {"norm.classifier", "the norm behind that"},
      {"attention.q", "query projection"},
      {"attention.k", "key projection"},
      {"attention.v", "value projection"},
      {"attention.qkv", "one projection for the three, instead of them"},
      {"attention.o", "output projection"},
      {"attention.q_norm", "norm of queries, where qk_norm asks for it"},
      {"attention.k_norm", "norm of keys"},
      {"attention.sinks",
       "a logit for each head that joins its softmax, where attention_sinks; a tensor, no module"},
      {"latent.q", "queries of the residual stream, where q_lora_rank is 0"},
      {"latent.q_down", "the latent of the queries, where q_lora_rank is above 0"},
      {"latent.q_norm", "its norm"},
      {"latent.q_up", "queries of their latent"},
      {"latent.kv_down", "the latent of keys and values, then the key that all heads share"},
      {"latent.kv_norm", "its norm"},
      {"latent.kv_up", "keys and values of their latent"},
      {"latent.o", "output projection"},
      {"mamba2.in", "projection to z, x, B, C and dt of a state space"},
      {"mamba2.conv", "its convolution"},
      {"mamba2.norm", "the norm of its output"},
      {"mamba2.out", "its output projection"},
      {"mamba2.A_log", "its decays; a tensor of that name, as the next two"},
      {"mamba2.D", "its skip"},
      {"mamba2.dt_bias", "bias of its time steps"},
      {"delta_net.qkv", "projection to queries, keys and values of a DeltaNet"},
      {"delta_net.z", "its gate"},
      {"delta_net.b", "how much it learns of a token"},
      {"delta_net.a", "how much it forgets before one"},
      {"delta_net.qkvz", "one projection for queries, keys, values and gate, instead of them"},
      {"delta_net.ba", "one projection for b and a, with it"},
      {"delta_net.conv", "its convolution"},
      {"delta_net.norm", "the norm of its heads"},
      {"delta_net.out", "its output projection"},
      {"delta_net.A_log", "its decays; a tensor of that name, as the next"},
      {"delta_net.dt_bias", "bias of its decays"},
      {"mlp.gate", "gate projection of a gated MLP"},
      {"mlp.up", "up projection; the first one of an MLP without a gate"},
      {"mlp.gate_up", "one projection for both, instead of them: gate rows, then up rows"},
      {"mlp.down", "down projection"},
      {"moe.router", "projection to a logit an expert"},
      {"moe.score_bias", "the vector that moves the choice of experts, under its full name"},
      {"moe.experts.gate", "gate projections of the experts"},
      {"moe.experts.up", "up projections of the experts; the first ones of experts without a gate"},
      {"moe.experts.gate_up", "both in one tensor of all experts, instead of them"},
      {"moe.experts.down", "down projections of the experts"},
      {"moe.latent_in", "projection to the width of the experts, where expert_latent_size"},
      {"moe.latent_out", "projection from it"},
      {"moe.shared.gate", "gate projection of the shared experts"},
      {"moe.shared.up", "their up projection"},
      {"moe.shared.gate_up", "one projection for both, instead of them"},
      {"moe.shared.down", "their down projection"},
      {"moe.shared_gate", "projection to the sigmoid that multiplies the shared experts' output"},
      {"norm.mixer", "the norm before the mixer"},
      {"norm.mixer_out", "the norm of the mixer's output, or of its sum with the residual"},
      {"norm.mlp", "the norm before the MLP"},
      {"norm.mlp_out", "the norm of the MLP's output, or of its sum with the residual"},
  };
  return kRoles;
}

std::vector<std::string> role_names() {
  std::vector<std::string> names;
  for (const Role& role : roles()) names.emplace_back(role.name);
  return names;
}

}  // namespace automodel::weights
