#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/config/recipe.h"

namespace automodel::optim {

/// Learning rate and weight decay by step, in Megatron's manner: linear warm-up from init_lr, then a decay
/// style. Without a section both are constant. Pure: the value depends on the step alone, so there is nothing
/// to resume.
class LrSchedule {
 public:
  /// `total_steps` gives the defaults: warm-up min(1000, total / 10), decay over total, weight-decay ramp
  /// over total; init_lr is 0.1 and min_lr 0.01 of the optimizer's lr. Throws Error(kConfig) for
  /// contradicting numbers.
  LrSchedule(const std::optional<config::LrSchedulerConfig>& section,
             const config::OptimizerConfig& optimizer,
             int64_t total_steps);

  /// Used by the update of the 0-based step `step`; the reference logs lr(step + 1) with it.
  double lr(int64_t step) const;
  double weight_decay(int64_t step) const;

 private:
  double decayed(int64_t step) const;

  bool constant_ = true;
  std::string style_ = "constant", wsd_style_, wd_style_ = "constant";
  double init_lr_ = 0, max_lr_ = 0, min_lr_ = 0, start_wd_ = 0, end_wd_ = 0;
  int64_t warmup_steps_ = 0, decay_steps_ = 0, wsd_decay_steps_ = 0, wd_incr_steps_ = 0;
};

}  // namespace automodel::optim
