#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/models/decoder.h"
#include "core/peft/adapter_spec.h"

namespace automodel::peft {

/// Allocates a unit (zeroed) for each segment that has adapters: the A of all its linears in their order,
/// then the B, so that the A of linears that are applied as one lie side by side.
std::vector<std::unique_ptr<tensor::FlatParameter>> make_units(const AdapterSpec& spec,
                                                               const tensor::FlatParameter::Options& options);

/// What build_decoder asks for adapters. The result points into the units and keeps a copy of the spec.
models::LoraSource lora_source(const AdapterSpec& spec,
                               const std::vector<std::unique_ptr<tensor::FlatParameter>>& units);

/// Draws A as the reference does after it has drawn the whole model from torch's CPU generator seeded with
/// `seed`, and zeroes B. `base_too`: the base's parameters are drawn into the decoder on the way
/// (from_config); else their numbers are passed over. Away from the CPU the reference draws from the device's
/// generator, which nothing replays: there A starts from the seed itself.
///
/// xavier: normal with variance 2 / (in + r); else uniform in +-1 / sqrt(in), Kaiming's with a = sqrt(5).
/// drawn: the type that A is drawn in, whatever type its main weights have.
void init_adapters(models::Decoder& decoder,
                   const AdapterSpec& spec,
                   bool xavier,
                   uint64_t seed,
                   bool base_too,
                   DType drawn);

}  // namespace automodel::peft
