#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/signals.h"
#include "core/checkpoint/checkpoint.h"
#include "core/data/loader.h"
#include "core/train/metrics.h"
#include "core/train/training.h"

namespace automodel::train {

/// A validation set, read once from its first row in each validation.
struct ValidationSet {
  std::string name;
  std::unique_ptr<data::Loader> loader;
};

/// The losses of all sets after a step, written to `metrics`; empty when a signal broke the validation off.
/// `of_step`: the step's number, epoch and learning rate.
checkpoint::Losses validate(Training& training,
                            const std::vector<ValidationSet>& sets,
                            const TrainRecord& of_step,
                            const SignalWatch& signals,
                            Metrics& metrics);

}  // namespace automodel::train
