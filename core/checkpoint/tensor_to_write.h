#pragma once

#include <string>

#include "core/tensor/torch.h"

#include "core/io/safetensors.h"

namespace automodel::checkpoint {

/// A contiguous tensor as an entry of a file; it must outlive the writing. One on a GPU is copied to the host
/// when its turn comes, so that a file needs memory for one tensor.
io::TensorToWrite to_write(std::string name, const at::Tensor& value);

}  // namespace automodel::checkpoint
