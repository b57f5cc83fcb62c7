#pragma once

#include <memory>
#include <vector>

#include "core/models/decoder.h"

namespace automodel::models {

/// The segments of a decoder whose units and buffers are made: embedding, layers, head. They point into the
/// units.
std::vector<std::unique_ptr<nn::Segment>> make_segments(const Decoder& decoder, const LoraSource& lora_of);

}  // namespace automodel::models
