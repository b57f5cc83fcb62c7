#pragma once

#include <cstdint>

#include "core/kernels/element.h"

namespace automodel::kernels {

/// Token losses -log softmax(logits)[target] and, in place, their gradient by the logits times `scale`, on
/// the device. On the CPU ATen's log-softmax does the same.
///
/// logits  [rows, vocabulary]; with `gradient` overwritten by scale * (softmax - onehot(target))
/// targets [rows] int64 in [0, vocabulary);  losses [rows] f32, not scaled
/// Each row is summed in f32 in a fixed order. Asynchronous on `stream` (a cudaStream_t), no workspace.
struct CrossEntropyArgs {
  Element element = Element::kFloat32;
  void* logits = nullptr;
  const int64_t* targets = nullptr;
  float* losses = nullptr;
  int64_t rows = 0;
  int64_t vocabulary = 0;
  float scale = 0;
  bool gradient = false;
  void* stream = nullptr;
};

void cross_entropy_cuda(const CrossEntropyArgs& args);

}  // namespace automodel::kernels
