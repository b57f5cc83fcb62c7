#pragma once

#include <filesystem>

#include "core/base/dtype.h"
#include "core/io/safetensors.h"

namespace automodel::families {

/// The type of a folder's weights where config.json says none, as transformers' dtype="auto" finds it:
/// metadata.dtype of model.safetensors.index.json, else that of the first floating tensor, by name, of the
/// first file, by name; FP8 is passed over. float32 where nothing floats. Only headers are read.
DType type_of_weights(const std::filesystem::path& folder, const io::WeightFiles& files);

/// Whether the folder has weights that open_weights reads.
bool has_weights(const std::filesystem::path& folder);

}  // namespace automodel::families
