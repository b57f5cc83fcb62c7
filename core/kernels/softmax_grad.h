#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// The gradient of cross-entropy from log-probabilities, on a CPU.
namespace automodel::kernels {

/// dlogits = (exp(log_probs) - onehot(targets)) * scale.
///
/// log_probs [rows, width], at most 0 (-infinity included); targets [rows], in [0, width)
/// dlogits   [rows, width] of type T, may be log_probs itself where the types agree
/// The exponential is within 2 units in the last place of f32 (std::exp in f64); rounded to T once. T is
/// float, BF16 or double. Runs on the calling thread.
template <class T>
void softmax_grad(const Compute<T>* log_probs,
                  const int64_t* targets,
                  T* dlogits,
                  int64_t rows,
                  int64_t width,
                  Compute<T> scale);

}  // namespace automodel::kernels
