#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/arch/decoder_config.h"
#include "core/io/safetensors.h"
#include "core/nn/segment.h"
#include "core/tensor/flat_parameter.h"
#include "core/weights/parameter_spec.h"

namespace automodel::models {

/// A decoder in memory: its parameters in units and its segments in order. Segments point into the units.
struct Decoder {
  arch::DecoderConfig config;
  std::vector<weights::SegmentWeights> weights;               ///< parameters in the order of the definition
  std::vector<std::unique_ptr<tensor::FlatParameter>> units;  ///< in the order of segments
  std::unique_ptr<tensor::FlatParameter>
      buffers;  ///< float32 values that do not learn by gradients; null: none
  std::vector<std::unique_ptr<tensor::FlatParameter>>
      adapter_units;  ///< of adapters (core/peft); empty: none
  std::vector<std::unique_ptr<nn::Segment>> segments;
  std::unordered_map<std::string, tensor::Weight> places;  ///< of the model's parameters and buffers

  /// Where a parameter, the model's or an adapter's, lies. Throws Error(kInternal) for an unknown name.
  tensor::Weight find(const std::string& name) const;

  std::vector<const nn::Segment*> segment_pointers() const;
  std::vector<tensor::FlatParameter*> unit_pointers() const;  ///< the model's, its buffers', the adapters'
};

/// Gives the adapters of linears that are applied as one, by their module names
/// ("model.layers.0.self_attn.q_proj") and output widths; null for none.
using LoraSource = std::function<std::shared_ptr<const ops::Lora>(const std::vector<std::string>& modules,
                                                                  const std::vector<int64_t>& out_features)>;

/// Which parameters lie in one flat parameter.
enum class UnitSplit {
  kSegment,  ///< all of a segment: the fewest kernel launches, for one rank
  kKind,     ///< of a segment those of one kind (matrices, experts, vectors), which ranks share differently
};

/// Allocates units (zeroed) and builds the segments. The units that `lora_of` points into are not the
/// decoder's until they are moved to adapter_units.
Decoder build_decoder(const arch::DecoderConfig& config,
                      const tensor::FlatParameter::Options& options,
                      const LoraSource& lora_of = {},
                      UnitSplit split = UnitSplit::kSegment);

/// Makes places and segments anew after units were replaced by others of the same names.
void rebuild_segments(Decoder& decoder, const LoraSource& lora_of = {});

/// A parameter, or its gradient, as the file's tensor holds it: itself, or a copy of its part.
at::Tensor as_in_file(const weights::FileTensor& file, const at::Tensor& parameter);

/// Reads every parameter from the memory-mapped files straight into its unit, converting the type on the way;
/// the pages of a file tensor are dropped once read, so that loading needs the parameters plus at most one
/// tensor. Throws Error(kFormat) naming file and tensor when one is missing, left over, or of the wrong
/// shape.
void load_weights(Decoder& decoder, const io::WeightFiles& files);

/// Draws the parameters as transformers' _init_weights does from torch's CPU generator seeded with `seed`:
/// normal(0, initializer_range) over embedding and linear weights in the order of the definition, the pad row
/// of the embedding zeroed, ones for norms (zeros where an offset is added), zeros for biases; what begins
/// otherwise says so in ParameterSpec::Init. A tied head is drawn after all others and dropped, as there.
void init_weights(Decoder& decoder, uint64_t seed);

/// Draws from a generator that others draw from as well; `before`, if any, is called before each parameter
/// that is drawn from a normal distribution.
void init_weights(Decoder& decoder,
                  at::Generator& generator,
                  const std::function<void(const weights::ParameterSpec&)>& before);

}  // namespace automodel::models
