#include "core/train/step_schedule.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"

namespace automodel::train {
namespace {

constexpr int64_t kDefaultEpochs = 10;

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

StepSchedule::StepSchedule(const config::StepSchedulerConfig& config,
                           std::optional<int64_t> micro_batches_per_epoch,
                           int64_t dp_size)
    : config_(config) {
  const int64_t rows_at_once = config.local_batch_size * dp_size;
  check(config.global_batch_size % rows_at_once == 0,
        ErrorCode::kConfig,
        "step_scheduler.global_batch_size ",
        config.global_batch_size,
        " is not a multiple of local_batch_size ",
        config.local_batch_size,
        " times ",
        dp_size,
        " data-parallel ranks");
  grad_accum_steps_ = config.global_batch_size / rows_at_once;
  if (!micro_batches_per_epoch) {
    check(config.max_steps.has_value(),
          ErrorCode::kConfig,
          "step_scheduler.max_steps is needed: the dataset has no known length");
    num_epochs_ = config.num_epochs.value_or(std::numeric_limits<int64_t>::max());
    total_steps_ = *config.max_steps;
    return;
  }
  check(*micro_batches_per_epoch > 0,
        ErrorCode::kData,
        "the training set has fewer rows than one micro-batch (step_scheduler.local_batch_size ",
        config.local_batch_size,
        ")");
  steps_per_epoch_ = ceil_div(*micro_batches_per_epoch, grad_accum_steps_);
  const int64_t enough = config.max_steps ? ceil_div(*config.max_steps, *steps_per_epoch_) : kDefaultEpochs;
  num_epochs_ = config.num_epochs.value_or(enough);
  total_steps_ = num_epochs_ * *steps_per_epoch_;
  if (config.max_steps) total_steps_ = std::min(total_steps_, *config.max_steps);
}

void StepSchedule::resume(int64_t steps_done, int64_t epoch, std::optional<int64_t> micro_batches_left) {
  if (!steps_per_epoch_ || !micro_batches_left) return;
  const int64_t of_this_epoch = epoch < num_epochs_ ? ceil_div(*micro_batches_left, grad_accum_steps_) : 0;
  const int64_t later_epochs = std::max<int64_t>(num_epochs_ - epoch - 1, 0);
  total_steps_ = steps_done + of_this_epoch + later_epochs * *steps_per_epoch_;
  if (config_.max_steps) total_steps_ = std::min(total_steps_, *config_.max_steps);
}

bool StepSchedule::saves_after(int64_t step, bool epoch_ends) const {
  const std::optional<int64_t> every = config_.ckpt_every_steps ? config_.ckpt_every_steps : steps_per_epoch_;
  const bool due = every && step % *every == *every - 1;
  return due || is_last(step) || (epoch_ends && config_.save_checkpoint_every_epoch);
}

bool StepSchedule::validates_after(int64_t step, bool epoch_ends) const {
  const auto& every = config_.val_every_steps;
  return (every && step % *every == *every - 1) || saves_after(step, epoch_ends);
}

}  // namespace automodel::train
