#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace automodel::weights {

/// What a parameter is there for, when the parameters of a model are counted.
enum class Part {
  kEmbedding,
  kAttention,
  kStateSpace,
  kDeltaNet,
  kMlp,
  kExperts,
  kSharedExperts,
  kRouter,
  kNorms,
  kHead,
};

constexpr size_t kNumParts = 10;

/// "embedding", "attention", "state_space", ...
std::string_view name_of(Part part);

/// The part of a ParameterSpec's role. A norm counts as one wherever it stands; adapters have no part. Throws
/// Error(kInternal) for an unknown role.
Part part_of(std::string_view role);

}  // namespace automodel::weights
