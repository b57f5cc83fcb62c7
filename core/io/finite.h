#pragma once

#include <cstdint>

#include "core/io/safetensors.h"

namespace automodel::io {

/// Number of infinities and NaNs of a floating tensor; 0 for the other types.
int64_t count_non_finite(const TensorView& tensor);

}  // namespace automodel::io
