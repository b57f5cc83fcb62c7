#pragma once

#include "core/tensor/torch.h"

#include "core/weights/match_weights.h"

namespace automodel::models {

/// The numbers of a matched tensor, in the shape of its place: as stored and without a copy (only to be
/// read), or, quantised, undone in `type`.
at::Tensor plain_values(const weights::MatchedWeight& matched,
                        const arch::QuantizationConfig& quantization,
                        at::ScalarType type);

}  // namespace automodel::models
