#include "core/models/roles.h"

namespace automodel::models {

const std::vector<Role>& roles() {
  static const std::vector<Role> kRoles = {
      {"embed", "table of token ids [vocabulary, hidden]"},
      {"positions", "table of learned positions, where fields say positions"},
      {"norm.final", "the norm before the head"},
      {"head", "the output projection, where it is not tied"},
      {"attention.q", "query projection"},
      {"attention.k", "key projection"},
      {"attention.v", "value projection"},
      {"attention.qkv", "one projection for the three, instead of them"},
      {"attention.o", "output projection"},
      {"attention.q_norm", "norm of queries, where qk_norm asks for it"},
      {"attention.k_norm", "norm of keys"},
      {"mlp.gate", "gate projection of a gated MLP"},
      {"mlp.up", "up projection; the first one of an MLP without a gate"},
      {"mlp.gate_up", "one projection for both, instead of them: gate rows, then up rows"},
      {"mlp.down", "down projection"},
      {"norm.mixer", "the norm before the mixer; of a block with one branch: before that"},
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

}  // namespace automodel::models
