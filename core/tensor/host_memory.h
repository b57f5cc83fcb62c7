#pragma once

#include <cstdint>

#include "core/tensor/torch.h"

namespace automodel::tensor {

/// Makes LibTorch's CPU tensors of 4 MB and more lie on huge pages and keeps freed ones for the next step:
/// fresh small pages cost as much as the arithmetic on them. Smaller ones stay with malloc, which is told to
/// keep what is freed. For the whole process; call before tensors are made, a second call does nothing.
/// Freed memory beyond 1 GiB goes back to the system, what was unused for longest first.
void keep_host_memory();

/// [numel] zeros. On a CPU, large ones are pages that the system zeroes when they are first touched: memory
/// that is about to be overwritten costs nothing here, and threads that touch it first share that cost.
at::Tensor zeros(int64_t numel, const at::TensorOptions& options);

}  // namespace automodel::tensor
