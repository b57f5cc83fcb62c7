#pragma once

#include <filesystem>

#include "core/models/decoder.h"
#include "core/optim/optimizer.h"

namespace automodel::checkpoint {

/// Writes `optim/`: one safetensors file with a slice for each trained parameter and kind of state
/// ("exp_avg.NAME"), and, of units whose main weights are of another type than the stored ones, the main
/// weights
/// ("master.NAME"); plus index.json with the step count. Slices are logical tensors, never offsets: another
/// mesh can read them.
void write_optimizer(const std::filesystem::path& folder,
                     const models::Decoder& decoder,
                     const optim::Optimizer& optimizer,
                     DType weights_dtype);

/// Reads what write_optimizer wrote. Throws Error(kFormat) naming file and tensor when one is missing, left
/// over or of another shape or type.
void read_optimizer(const std::filesystem::path& folder,
                    models::Decoder& decoder,
                    optim::Optimizer& optimizer);

}  // namespace automodel::checkpoint
