#include "core/weights/roles.h"

#include "core/weights/model_block.h"

namespace automodel::weights {

namespace {

const std::vector<Role> kOfModel = {
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
};

const std::vector<Role> kOfLayer = {
    {"norm.mixer", "the norm before the mixer"},
    {"norm.mixer_out", "the norm of the mixer's output, or of its sum with the residual"},
    {"norm.mlp", "the norm before the MLP"},
    {"norm.mlp_out", "the norm of the MLP's output, or of its sum with the residual"},
};

}  // namespace

const std::vector<Role>& roles() {
  static const std::vector<Role> kRoles = [] {
    std::vector<Role> all = kOfModel;
    for (const ModelBlock* block : model_blocks())
      all.insert(all.end(), block->roles.begin(), block->roles.end());
    all.insert(all.end(), kOfLayer.begin(), kOfLayer.end());
    return all;
  }();
  return kRoles;
}

std::vector<std::string> role_names() {
  std::vector<std::string> names;
  for (const Role& role : roles()) names.emplace_back(role.name);
  return names;
}

}  // namespace automodel::weights
