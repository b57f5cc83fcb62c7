#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "core/models/decoder_config.h"
#include "core/nn/segment.h"
#include "core/tensor/unit.h"

namespace automodel::models {

/// A decoder in memory: its parameters in units and its segments in order. Segments point into the units.
struct Decoder {
  DecoderConfig config;
  std::vector<SegmentWeights> weights;  ///< parameters in the order of the definition
  std::vector<std::unique_ptr<tensor::Unit>>
      units;  ///< one a segment; matrices first, so that fuse groups touch
  std::vector<std::unique_ptr<nn::Segment>> segments;

  /// Where a parameter lies. Throws Error(kInternal) for an unknown name.
  tensor::Weight find(const std::string& name) const;

  std::vector<const nn::Segment*> segment_pointers() const;
  std::vector<tensor::Unit*> unit_pointers() const;
};

/// Allocates units (zeroed) and builds the segments.
Decoder build_decoder(const DecoderConfig& config, const tensor::Unit::Options& options);

/// Reads every parameter from the memory-mapped files straight into its unit, converting the type on the way;
/// the pages of a file tensor are dropped once read, so that loading needs the parameters plus at most one
/// tensor. Throws Error(kFormat) naming file and tensor when one is missing, left over, or of the wrong
/// shape.
void load_weights(Decoder& decoder, const io::WeightFiles& files);

/// Draws the parameters as the reference does from torch's CPU generator seeded with `seed`: normal(0,
/// initializer_range) over embedding and linear weights in the order of the definition, the pad row of the
/// embedding zeroed, ones for norms, zeros for biases. A tied head is drawn after all others and dropped, as
/// there.
void init_weights(Decoder& decoder, uint64_t seed);

}  // namespace automodel::models
