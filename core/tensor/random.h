#pragma once

#include "core/tensor/torch.h"
#include <ATen/core/Generator.h>

namespace automodel::tensor {

/// value.normal_(0, std, generator) to the bit, on all threads and wherever the tensor lies: the numbers are
/// those that torch's CPU generator would give one thread. Contiguous f32 or bf16.
void fill_normal(const at::Tensor& value, double std, at::Generator& generator);

}  // namespace automodel::tensor
