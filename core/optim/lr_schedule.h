#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/recipe/recipe.h"

namespace automodel::optim {

/// What a schedule is made of, every default resolved. Kept in checkpoints.
struct LrScheduleValues {
  std::string lr_decay_style = "constant", lr_wsd_decay_style = "exponential", wd_incr_style = "constant";
  double init_lr = 0, max_lr = 0, min_lr = 0, start_wd = 0, end_wd = 0;
  int64_t lr_warmup_steps = 0, lr_decay_steps = 0, wsd_decay_steps = 0, wd_incr_steps = 0;

  bool operator==(const LrScheduleValues&) const = default;
};

/// Calls visit(name, member of LrScheduleValues) for each: names are the recipe's.
template <class Visit>
void for_each_schedule_value(const Visit& visit) {
  using V = LrScheduleValues;
  visit("lr_decay_style", &V::lr_decay_style);
  visit("init_lr", &V::init_lr);
  visit("max_lr", &V::max_lr);
  visit("min_lr", &V::min_lr);
  visit("lr_warmup_steps", &V::lr_warmup_steps);
  visit("lr_decay_steps", &V::lr_decay_steps);
  visit("wsd_decay_steps", &V::wsd_decay_steps);
  visit("lr_wsd_decay_style", &V::lr_wsd_decay_style);
  visit("start_wd", &V::start_wd);
  visit("end_wd", &V::end_wd);
  visit("wd_incr_steps", &V::wd_incr_steps);
  visit("wd_incr_style", &V::wd_incr_style);
}

/// Learning rate and weight decay by step, in Megatron's manner: linear warm-up from init_lr, then a decay
/// style. Pure: the value depends on the step alone.
class LrSchedule {
 public:
  /// `total_steps` gives the defaults: warm-up min(1000, total / 10), decay over total, weight-decay ramp
  /// over total; init_lr is 0.1 and min_lr 0.01 of the optimizer's lr. Without a section both are constant.
  /// Throws Error(kConfig) for contradicting numbers.
  LrSchedule(const std::optional<config::LrSchedulerConfig>& section,
             const config::OptimizerConfig& optimizer,
             int64_t total_steps);

  explicit LrSchedule(LrScheduleValues values);

  /// Used by the update of the 0-based step `step`; the reference logs lr(step + 1) with it.
  double lr(int64_t step) const;
  double weight_decay(int64_t step) const;

  const LrScheduleValues& values() const { return values_; }

 private:
  double decayed(int64_t step) const;

  LrScheduleValues values_;
};

/// The schedule of a resumed run. `recipes`: what the recipe asks for; `stored`: the checkpoint's. The
/// section's override_opt_param_scheduler takes the first, use_checkpoint_opt_param_scheduler (the default)
/// the second, with a warning that names what differs. Throws Error(kConfig), naming it too, when neither is
/// set and they differ.
LrSchedule resumed_schedule(const config::LrSchedulerConfig& section,
                            const LrSchedule& recipes,
                            const LrScheduleValues& stored);

}  // namespace automodel::optim
