#pragma once

#include <string>

#include "core/models/decoder.h"

/// What the units of a decoder have in common, asked of all of them: they may differ.
namespace automodel::models {

/// Where the model's parameters lie. Throws Error(kInternal) when they do not lie together.
at::Device device_of(const Decoder& decoder);

/// Types that weights are computed with: "bfloat16"; "float32, bfloat16".
std::string compute_types(const Decoder& decoder);

/// The type that the layer at `index` is computed with.
at::ScalarType compute_type_of_layer(const Decoder& decoder, size_t index);

}  // namespace automodel::models
