#pragma once

#include "core/tensor/torch.h"

#include "core/base/dtype.h"

namespace automodel::tensor {

at::ScalarType to_torch(DType dtype);

/// Throws Error(kUnsupported) for a type that no checkpoint holds.
DType from_torch(at::ScalarType dtype);

/// Throws Error(kInvalidArgument) naming `what` and both shapes unless `x` has exactly `shape`.
void check_shape(const at::Tensor& x, at::IntArrayRef shape, std::string_view what);

}  // namespace automodel::tensor
