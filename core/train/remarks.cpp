#include "core/train/remarks.h"

#include <algorithm>
#include <cmath>

#include "core/base/log.h"

namespace automodel::train {

void warn_of_large_step(const config::Recipe& recipe, const data::Loader& loader) {
  const std::optional<int64_t> micro_batches = loader.num_micro_batches();
  const config::StepSchedulerConfig& steps = recipe.step_scheduler;
  if (!micro_batches || *micro_batches * steps.local_batch_size >= steps.global_batch_size) return;
  log::warning("step_scheduler.global_batch_size ",
               steps.global_batch_size,
               " is more than an epoch has: a step takes its ",
               *micro_batches,
               *micro_batches == 1 ? " micro-batch" : " micro-batches",
               " of up to ",
               steps.local_batch_size,
               " rows and ends there");
}

DivergenceWatch::DivergenceWatch(int64_t vocab_size) : guessing_(std::log(static_cast<double>(vocab_size))) {}

void DivergenceWatch::look_at(const TrainRecord& record) {
  if (!record.loss) return;
  if (!first_) first_ = record.loss;
  if (warned_ || *record.loss < 2 * std::max(*first_, guessing_)) return;
  warned_ = true;
  log::warning("step ",
               record.step,
               ": the loss ",
               *record.loss,
               " is more than twice that of the first step (",
               *first_,
               ") and of guessing (",
               guessing_,
               "): the run is diverging; lower optimizer.lr");
}

}  // namespace automodel::train
