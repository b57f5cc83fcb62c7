#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Stochastic gradient descent over a flat buffer, as torch.optim.SGD computes it: with g = grad * grad_scale
/// + weight_decay * p, the momentum buffer b = g at the first step and momentum * b + g later, p -= lr * d
/// with d = b, or g + momentum * b (Nesterov), or g without momentum.
namespace automodel::kernels {

struct SgdArgs {
  double lr = 0;
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool first_step = false;
  float grad_scale = 1;
};

/// T is float or BF16 (every intermediate that torch would store is rounded); `momentum_buffer` may be null
/// when momentum is 0. Element-wise, so deterministic. Runs on the calling thread.
template <class T>
void sgd(T* p, const float* grad, T* momentum_buffer, int64_t n, const SgdArgs& args);

/// SGD on the device; `clip` as in adamw.h. Asynchronous on `stream` (a cudaStream_t), no workspace.
void sgd_cuda(Element element,
              void* p,
              const float* grad,
              void* momentum_buffer,
              int64_t n,
              const SgdArgs& args,
              const float* clip,
              void* stream);

}  // namespace automodel::kernels
