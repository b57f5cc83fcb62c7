#pragma once

#include <cstdint>
#include <optional>

#include "core/config/recipe/recipe.h"

namespace automodel::train {

/// When a run ends, validates and saves; step numbers are 0-based. Owned by the recipe; one thread.
class StepSchedule {
 public:
  /// `micro_batches_per_epoch` of this rank: nullopt for an endless set; `dp_size` ranks see different rows.
  /// Throws Error(kConfig) when the global batch is not a multiple of theirs, or when an endless set comes
  /// without max_steps.
  StepSchedule(const config::StepSchedulerConfig& config,
               std::optional<int64_t> micro_batches_per_epoch,
               int64_t dp_size);

  /// For a run that goes on behind `steps_done` steps with so many micro-batches left of `epoch`: the run
  /// ends with its last epoch, whatever batch sizes it had before.
  void resume(int64_t steps_done, int64_t epoch, std::optional<int64_t> micro_batches_left);

  int64_t grad_accum_steps() const { return grad_accum_steps_; }

  /// Optimizer steps in an epoch, a short last group counted; nullopt for an endless set.
  std::optional<int64_t> steps_per_epoch() const { return steps_per_epoch_; }

  int64_t num_epochs() const { return num_epochs_; }

  /// Steps after which the run is over.
  int64_t total_steps() const { return total_steps_; }

  bool is_last(int64_t step) const { return step + 1 >= total_steps_; }

  /// `epoch_ends`: whether the step used the last micro-batch of its epoch.
  bool saves_after(int64_t step, bool epoch_ends) const;
  bool validates_after(int64_t step, bool epoch_ends) const;

 private:
  config::StepSchedulerConfig config_;
  int64_t grad_accum_steps_ = 1;
  std::optional<int64_t> steps_per_epoch_;
  int64_t num_epochs_ = 1;
  int64_t total_steps_ = 0;
};

}  // namespace automodel::train
