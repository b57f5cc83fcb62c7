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
void cross_entropy_cuda(Element element,
                        void* logits,
                        const int64_t* targets,
                        float* losses,
                        int64_t rows,
                        int64_t vocabulary,
                        float scale,
                        bool gradient,
                        void* stream);

}  // namespace automodel::kernels
