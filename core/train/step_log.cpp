#include "core/train/step_log.h"

#include <utility>

namespace automodel::train {

StepLog::StepLog(const Training& training, Metrics& metrics, int64_t steps_done, int64_t total_steps)
    : training_(training),
      metrics_(metrics),
      peak_tflops_(training.peak_tflops()),
      progress_(steps_done, total_steps),
      divergence_(training.model.decoder.config.vocab_size) {}

StepLog::Written StepLog::write(PendingStep step) {
  TrainRecord record = finish(step, training_.recipe.moe_metrics);
  const bool timed = last_ready_ && step.numbers;
  const double seconds = timed ? step.numbers->seconds_after(*last_ready_) : since_last_.seconds();
  since_last_.restart();
  last_ready_ = std::move(step.numbers);
  record.tps = static_cast<double>(record.num_tokens_per_step) / seconds;
  record.progress = progress_.after(record.step, seconds);
  if (peak_tflops_) {
    const double flops = training_.cost.flops_per_token(step.length) * record.tps;
    record.mfu_percent = 100 * flops / (*peak_tflops_ * 1e12);
  }
  metrics_.write(record);
  divergence_.look_at(record);
  progress_.show(record);
  return {record.loss, seconds};
}

void StepLog::restart_clock() {
  since_last_.restart();
  last_ready_.reset();
}

}  // namespace automodel::train
