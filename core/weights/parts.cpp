#include "core/weights/parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/weights/model_block.h"

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

/// How roles outside of blocks begin.
constexpr std::pair<std::string_view, Part> kOfModel[] = {{"embed", Part::kEmbedding},
                                                          {"positions", Part::kEmbedding},
                                                          {"token_types", Part::kEmbedding},
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
  const auto begins = [&](const auto& entry) { return role.starts_with(entry.first); };
  for (const ModelBlock* block : model_blocks()) {
    const auto found = std::ranges::find_if(block->parts, begins);
    if (found != block->parts.end()) return found->second;
  }
  const auto* found = std::ranges::find_if(kOfModel, begins);
  ensure(found != std::end(kOfModel), "no part of a model has the role ", role);
  return found->second;
}

}  // namespace automodel::weights
