#include "core/train/resume.h"

#include <optional>

#include "core/base/log.h"

namespace automodel::train {

checkpoint::Position resume(checkpoint::Checkpointer& checkpointer,
                            bool enabled,
                            data::Loader& loader,
                            StepSchedule& schedule,
                            store::RunRecorder& run) {
  if (!enabled) return {};
  const auto resumed = checkpointer.load();
  if (!resumed) return {};
  const checkpoint::Position& position = resumed->position;
  loader.restore(position.loader);
  schedule.resume(position.next_step, position.epoch, loader.micro_batches_left());
  run.resumed(resumed->folder);
  log::info("Resumed: ", position.next_step, " steps done, epoch ", position.epoch);
  return position;
}

optim::LrSchedule open_lr_schedule(const config::Recipe& recipe,
                                   int64_t total_steps,
                                   checkpoint::Position& position) {
  optim::LrSchedule schedule(recipe.lr_scheduler, recipe.optimizer, total_steps);
  if (recipe.lr_scheduler && position.lr_schedule)
    schedule = optim::resumed_schedule(*recipe.lr_scheduler, schedule, *position.lr_schedule);
  position.lr_schedule = recipe.lr_scheduler ? std::optional(schedule.values()) : std::nullopt;
  return schedule;
}

}  // namespace automodel::train
