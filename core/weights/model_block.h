#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/arch/decoder_config.h"
#include "core/weights/cost.h"
#include "core/weights/parts.h"
#include "core/weights/roles.h"

namespace automodel::weights {

class ParameterList;

/// A token mixer or a feed-forward block, apart from its mathematics. Each has a source of its own
/// (core/weights/blocks/attention.cpp) and a row in core/weights/model_block.cpp.
struct ModelBlock {
  std::variant<arch::MixerKind, arch::FeedForwardKind> kind;

  std::vector<Role> roles;  ///< its modules

  /// How its roles begin, and what their parameters count as; the first that fits counts.
  std::vector<std::pair<std::string_view, Part>> parts;

  /// In the order in which transformers draws them.
  void (*add_parameters)(ParameterList& list,
                         const arch::LayerConfig& layer,
                         const arch::DecoderConfig& config);

  /// FLOPs beside those of its parameters; null: none.
  void (*add_cost)(Cost& cost, const arch::LayerConfig& layer) = nullptr;

  /// What `model info` calls a token mixer; null for a feed-forward block.
  std::string (*text)(const arch::LayerConfig& layer) = nullptr;
};

/// All of them, token mixers first.
const std::vector<const ModelBlock*>& model_blocks();

/// The row of a kind. Throws Error(kInternal) for FeedForwardKind::kNone.
const ModelBlock& block_of(std::variant<arch::MixerKind, arch::FeedForwardKind> kind);

/// FLOPs of forward and backward for so many multiplications with an addition.
inline double flops_of(int64_t products) {
  return 6.0 * static_cast<double>(products);
}

}  // namespace automodel::weights
