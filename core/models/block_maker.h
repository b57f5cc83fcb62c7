#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "core/models/segment_parameters.h"
#include "core/nn/decoder_segments.h"

namespace automodel::models {

/// By number in DecoderConfig::ropes; null where nothing rotates.
using RopeTables = std::vector<std::shared_ptr<const nn::RopeTable>>;

/// What makes a token mixer or a feed-forward block that runs. Each has a source of its own
/// (core/models/blocks/attention.cpp) and a row in core/models/block_maker.cpp.
struct BlockMaker {
  std::variant<arch::MixerKind, arch::FeedForwardKind> kind;

  nn::Mixer (*make)(const arch::LayerConfig& layer, const SegmentParameters& find, const RopeTables& ropes);

  /// What the block's input and output are multiplied by; null: by one.
  arch::Multipliers (*multipliers)(const arch::LayerConfig& layer) = nullptr;
};

/// The row of a kind. Throws Error(kInternal) for FeedForwardKind::kNone.
const BlockMaker& maker_of(std::variant<arch::MixerKind, arch::FeedForwardKind> kind);

/// A depthwise convolution with SiLU, of a module's weight and bias.
ops::CausalConv causal_conv(const SegmentParameters& find, const std::string& role);

}  // namespace automodel::models
