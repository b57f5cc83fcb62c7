#include "core/weights/parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.h"

namespace automodel::weights {
namespace {

constexpr std::array<std::string_view, kNumParts> kNames = {"embedding",
                                                            "attention",
                                                            "state_space",
                                                            "delta_net",
                                                            "mlp",
                                                            "experts",
                                                            "shared_experts",
                                                            "router",
                                                            "norms",
                                                            "head"};

/// How roles begin; the first that fits counts.
constexpr std::pair<std::string_view, Part> kRoles[] = {{"embed", Part::kEmbedding},
                                                        {"positions", Part::kEmbedding},
                                                        {"token_types", Part::kEmbedding},
                                                        {"attention.", Part::kAttention},
                                                        {"latent.", Part::kAttention},
                                                        {"mamba2.", Part::kStateSpace},
                                                        {"delta_net.", Part::kDeltaNet},
                                                        {"mlp.", Part::kMlp},
                                                        {"moe.experts.", Part::kExperts},
                                                        {"moe.latent", Part::kExperts},
                                                        {"moe.shared.", Part::kSharedExperts},
                                                        {"moe.", Part::kRouter},
                                                        {"head", Part::kHead},
                                                        {"classifier", Part::kHead}};

}  // namespace

std::string_view name_of(Part part) {
  return kNames.at(static_cast<size_t>(part));
}

Part part_of(std::string_view role) {
  std::string_view module = role;
  for (const std::string_view suffix : {".weight", ".bias"}) {
    if (module.ends_with(suffix)) module.remove_suffix(suffix.size());
  }
  if (module.starts_with("norm.") || module.ends_with("norm")) return Part::kNorms;
  const auto* found = std::find_if(
      std::begin(kRoles), std::end(kRoles), [&](const auto& entry) { return role.starts_with(entry.first); });
  ensure(found != std::end(kRoles), "no part of a model has the role ", role);
  return found->second;
}

}  // namespace automodel::weights
