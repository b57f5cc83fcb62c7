#pragma once

#include <cstdint>

#include "core/checkpoint/checkpoint.h"
#include "core/data/loader.h"
#include "core/optim/lr_schedule.h"
#include "core/store/run_recorder.h"
#include "core/train/step_schedule.h"

/// How a run goes on from its newest checkpoint.
namespace automodel::train {

/// Where the run stands: at its beginning, or behind its newest checkpoint, which `loader` and `schedule` are
/// then set to and `run` is told of. `enabled`: whether the run has checkpoints. Throws what
/// Checkpointer::load() does.
checkpoint::Position resume(checkpoint::Checkpointer& checkpointer,
                            bool enabled,
                            data::Loader& loader,
                            StepSchedule& schedule,
                            store::RunRecorder& run);

/// The learning rates of the run: the checkpoint's schedule where its run had other values; kept in
/// `position` for the next checkpoint.
optim::LrSchedule open_lr_schedule(const config::Recipe& recipe,
                                   int64_t total_steps,
                                   checkpoint::Position& position);

}  // namespace automodel::train
