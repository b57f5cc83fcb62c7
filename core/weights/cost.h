#pragma once

#include <array>
#include <cstdint>

#include "core/arch/decoder_config.h"
#include "core/weights/parts.h"

namespace automodel::weights {

/// Parameters of one part of a model, and those of them that one token passes.
struct PartSize {
  int64_t parameters = 0;
  double active = 0;
};

/// What a model costs. Counting goes through every parameter's name: ask once.
struct Cost {
  int64_t parameters = 0;         ///< tied ones once, buffers not
  int64_t active_parameters = 0;  ///< those that one token passes: of experts the chosen ones
  std::array<weights::PartSize, weights::kNumParts> parts{};  ///< by Part; they add up to `parameters`
  /// What the tensors that are read take in files: quantised ones with their scales, buffers, a tied head
  /// once.
  int64_t file_bytes = 0;

  double flops = 0;               ///< forward and backward for one token, whatever the length
  double flops_per_position = 0;  ///< more for each token of the sequence

  /// In a sequence of `length` tokens: 6 for each active parameter that multiplies (embedding lookup not
  /// counted, a tied head counted once) plus 12 x num_heads x head_dim x length for each layer of attention
  /// (causality not discounted), and 6 for each element of a scan's state and product with it (two of
  /// Mamba-2's, three of a DeltaNet's).
  double flops_per_token(int64_t length) const {
    return flops + flops_per_position * static_cast<double>(length);
  }
};

weights::Cost cost_of(const arch::DecoderConfig& config);

}  // namespace automodel::weights
