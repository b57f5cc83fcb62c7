#pragma once

#include <string>

#include "core/tensor/torch.h"

#include "core/io/safetensors.h"
#include "core/weights/parameter_spec.h"

namespace automodel::checkpoint {

/// A contiguous tensor as an entry of a file; it must outlive the writing. One on a GPU is copied to the host
/// when its turn comes, so that a file needs memory for one tensor.
io::TensorToWrite to_write(std::string name, const at::Tensor& value);

/// A parameter, or its gradient, as the tensor of a file that holds it or a part of it; a part is copied when
/// its turn comes.
io::TensorToWrite to_write(const weights::FileTensor& file, const at::Tensor& parameter);

}  // namespace automodel::checkpoint
