#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/data/loader.h"
#include "core/tensor/host_copy.h"
#include "core/train/metrics.h"
#include "core/train/training.h"

namespace automodel::train {

/// A step that the device may still be working on.
struct PendingStep {
  TrainRecord record;
  std::optional<tensor::HostCopy> numbers;  ///< loss, gradient norm, loads; none: no token had a label
  std::vector<int64_t> num_experts;         ///< whose loads are read, by layer
  int64_t first_row = 0;
  int64_t length = 0;
};

/// One optimizer step over its micro-batches, queued without waiting for the device: forward, backward,
/// gradient norm, clipping, update. Fills the counts of the record. A step without a label changes nothing
/// and warns.
PendingStep train_step(
    Training& training, std::vector<data::Batch>& batches, int64_t step, double lr, double weight_decay);

/// Waits for a step's numbers. Throws Error(kInvalidArgument) when it diverged: it has changed no weight
/// then.
TrainRecord finish(const PendingStep& pending, const config::MoeMetricsConfig& moe);

}  // namespace automodel::train
