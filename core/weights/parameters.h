#pragma once

#include <vector>

#include "core/arch/decoder_config.h"
#include "core/weights/parameter_spec.h"

namespace automodel::weights {

/// Every parameter in the order in which transformers defines the modules (embedding, layers, norm, head):
/// random initialisation replays it. A tied head is absent. Throws Error(kConfig) for a parameter that the
/// family file gives no name.
std::vector<weights::SegmentWeights> model_weights(const arch::DecoderConfig& config);

}  // namespace automodel::weights
