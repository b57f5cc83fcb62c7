#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Lion (Chen et al. 2023, arXiv:2302.06675, algorithm 2) over a flat buffer, in the order of operations of
/// lion_pytorch.
///
/// With g = grad * grad_scale:
///   p -= lr * weight_decay * p
///   p -= lr * sign(beta1 * m + (1 - beta1) * g), where sign(0) = 0
///   m = beta2 * m + (1 - beta2) * g
///
/// Buffers hold n elements each and do not overlap; no alignment is required. Element-wise, so deterministic.
/// No operation is contracted: CPU and device agree to the bit.
namespace automodel::kernels {

struct LionArgs {
  double lr = 0;
  double beta1 = 0.9;   ///< of the update's direction
  double beta2 = 0.99;  ///< of the running gradient m
  double weight_decay = 0;
  float grad_scale = 1;  ///< clipping
};

/// T is float or BF16 (every intermediate that torch would store is rounded); G, the gradients', is T, or
/// float beside BF16, then first rounded to it: the results are the same. Runs on the calling thread.
template <class T, class G>
void lion(T* p, const G* grad, T* m, int64_t n, const LionArgs& args);

/// The same on the device, 16-byte aligned; `clip` as in adamw.h. Asynchronous on `stream` (a cudaStream_t),
/// no workspace.
void lion_cuda(Element type,
               void* p,
               Element grad_type,
               const void* grad,
               void* m,
               int64_t n,
               const LionArgs& args,
               const float* clip,
               void* stream);

}  // namespace automodel::kernels
