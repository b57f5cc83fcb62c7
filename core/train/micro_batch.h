#pragma once

#include "core/data/loader.h"
#include "core/engine/graphed_executor.h"
#include "core/nn/segment.h"
#include "core/train/training.h"

namespace automodel::train {

/// A batch on the device of the training: ids, labels and, in packs, documents and positions [rows, length].
/// A GPU gets lengths that are multiples of 64. On a CPU without padding nothing is copied: the batch must
/// outlive the result. `loss_scale` multiplies the sum over label tokens. Throws Error(kData) for ids outside
/// the vocabulary and for texts longer than a learned table of positions.
nn::MicroBatch as_micro_batch(data::Batch& batch, double loss_scale, const Training& training);

/// Moves what segments read to their device; labels stay on the CPU.
void upload(nn::MicroBatch& batch, at::Device device);

/// Sum over micro-batches: a scalar f64 on the device.
at::Tensor total_loss(const engine::GraphedExecutor::Results& results);

}  // namespace automodel::train
