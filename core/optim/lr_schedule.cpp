#include "core/optim/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/base/error.h"
#include "core/base/log.h"

namespace automodel::optim {
namespace {

double cosine_fall(double ratio) {
  return 0.5 * (std::cos(std::numbers::pi * ratio) + 1.0);
}

/// 1 at ratio 0, 0 at ratio 1.
double wsd_fall(const std::string& style, double ratio) {
  if (style == "linear") return 1.0 - ratio;
  if (style == "cosine") return cosine_fall(ratio);
  if (style == "exponential") return 2.0 * std::pow(0.5, ratio) - 1.0;
  if (style == "minus_sqrt") return 1.0 - std::sqrt(ratio);
  fail(ErrorCode::kConfig,
       "lr_scheduler.lr_wsd_decay_style \"",
       style,
       "\"; expected linear, cosine, exponential or minus_sqrt");
}

/// The recipe's section with its defaults filled in.
LrScheduleValues resolved(const std::optional<config::LrSchedulerConfig>& section,
                          const config::OptimizerConfig& optimizer,
                          int64_t total_steps) {
  LrScheduleValues values;
  values.init_lr = values.max_lr = values.min_lr = optimizer.lr;
  values.start_wd = values.end_wd = optimizer.weight_decay;
  if (!section) return values;
  values.lr_decay_style = section->lr_decay_style;
  values.lr_wsd_decay_style = section->lr_wsd_decay_style;
  values.wd_incr_style = section->wd_incr_style;
  values.init_lr = section->init_lr.value_or(0.1 * optimizer.lr);
  values.max_lr = section->max_lr.value_or(optimizer.lr);
  values.min_lr = section->min_lr.value_or(0.01 * optimizer.lr);
  values.start_wd = section->start_wd.value_or(optimizer.weight_decay);
  values.end_wd = section->end_wd.value_or(optimizer.weight_decay);
  values.lr_warmup_steps = section->lr_warmup_steps.value_or(std::min<int64_t>(1000, total_steps / 10));
  values.lr_decay_steps = section->lr_decay_steps.value_or(std::max(total_steps, values.lr_warmup_steps + 1));
  values.wsd_decay_steps = section->wsd_decay_steps.value_or(0);
  values.wd_incr_steps = section->wd_incr_steps.value_or(total_steps);
  return values;
}

/// "max_lr 0.01 -> 0.001, lr_decay_steps 10 -> 20"; empty when nothing differs.
std::string differences(const LrScheduleValues& from, const LrScheduleValues& to) {
  std::string text;
  for_each_schedule_value([&](const char* name, auto member) {
    if (from.*member == to.*member) return;
    text += detail::join(text.empty() ? "" : ", ", name, " ", from.*member, " -> ", to.*member);
  });
  return text;
}

}  // namespace

LrSchedule::LrSchedule(const std::optional<config::LrSchedulerConfig>& section,
                       const config::OptimizerConfig& optimizer,
                       int64_t total_steps)
    : LrSchedule(resolved(section, optimizer, total_steps)) {}

LrSchedule::LrSchedule(LrScheduleValues values) : values_(std::move(values)) {
  const LrScheduleValues& v = values_;
  check(v.min_lr <= v.max_lr,
        ErrorCode::kConfig,
        "lr_scheduler.min_lr ",
        v.min_lr,
        " is above max_lr ",
        v.max_lr);
  check(v.init_lr <= v.max_lr,
        ErrorCode::kConfig,
        "lr_scheduler.init_lr ",
        v.init_lr,
        " is above max_lr ",
        v.max_lr);
  check(v.lr_decay_style == "constant" || v.lr_warmup_steps < v.lr_decay_steps,
        ErrorCode::kConfig,
        "lr_scheduler.lr_warmup_steps ",
        v.lr_warmup_steps,
        " is not below lr_decay_steps ",
        v.lr_decay_steps);
  check(v.lr_decay_style != "WSD" || v.wsd_decay_steps > 0,
        ErrorCode::kConfig,
        "lr_scheduler.wsd_decay_steps is needed for lr_decay_style WSD");
  wsd_fall(v.lr_wsd_decay_style, 0);
  decayed(v.lr_warmup_steps);  // an unknown style is an error now, not at the end of the warm-up
}

LrSchedule resumed_schedule(const config::LrSchedulerConfig& section,
                            const LrSchedule& recipes,
                            const LrScheduleValues& stored) {
  if (section.override_opt_param_scheduler) return recipes;
  const std::string changed = differences(recipes.values(), stored);
  check(
      changed.empty() || section.use_checkpoint_opt_param_scheduler.value_or(true),
      ErrorCode::kConfig,
      "lr_scheduler: the recipe's schedule is not the checkpoint's (",
      changed,
      "); lr_scheduler.use_checkpoint_opt_param_scheduler: true takes the checkpoint's, override_opt_param_scheduler: true the recipe's");
  if (!changed.empty())
    log::warning("lr_scheduler: the schedule is the checkpoint's, not the recipe's: ",
                 changed,
                 ". lr_scheduler.override_opt_param_scheduler: true takes the recipe's");
  return LrSchedule(stored);
}

double LrSchedule::lr(int64_t step) const {
  if (values_.lr_warmup_steps > 0 && step <= values_.lr_warmup_steps) {
    return values_.init_lr + (values_.max_lr - values_.init_lr) * static_cast<double>(step) /
                                 static_cast<double>(values_.lr_warmup_steps);
  }
  return decayed(step);
}

double LrSchedule::decayed(int64_t step) const {
  if (values_.lr_decay_style == "constant") return values_.max_lr;
  if (step > values_.lr_decay_steps) return values_.min_lr;
  if (values_.lr_decay_style == "inverse-square-root") {
    const auto warmup = static_cast<double>(std::max<int64_t>(values_.lr_warmup_steps, 1));
    const auto now = static_cast<double>(std::max<int64_t>(step, 1));
    return std::max(values_.min_lr, values_.max_lr * std::sqrt(warmup) / std::sqrt(now));
  }
  const double ratio = static_cast<double>(step - values_.lr_warmup_steps) /
                       static_cast<double>(values_.lr_decay_steps - values_.lr_warmup_steps);
  double fall = 0;
  if (values_.lr_decay_style == "linear") {
    fall = 1.0 - ratio;
  } else if (values_.lr_decay_style == "cosine") {
    fall = cosine_fall(ratio);
  } else if (values_.lr_decay_style == "WSD") {
    const int64_t start = values_.lr_decay_steps - values_.wsd_decay_steps;
    fall = step <= start
               ? 1.0
               : wsd_fall(values_.lr_wsd_decay_style,
                          static_cast<double>(step - start) / static_cast<double>(values_.wsd_decay_steps));
  } else {
    fail(ErrorCode::kConfig,
         "lr_scheduler.lr_decay_style \"",
         values_.lr_decay_style,
         "\"; expected cosine, linear, constant, inverse-square-root or WSD");
  }
  return values_.min_lr + fall * (values_.max_lr - values_.min_lr);
}

double LrSchedule::weight_decay(int64_t step) const {
  if (values_.wd_incr_style == "constant" || step > values_.wd_incr_steps) return values_.end_wd;
  const double ratio = static_cast<double>(step) / static_cast<double>(values_.wd_incr_steps);
  if (values_.wd_incr_style == "linear")
    return values_.start_wd + ratio * (values_.end_wd - values_.start_wd);
  if (values_.wd_incr_style == "cosine")
    return values_.start_wd + cosine_fall(1.0 - ratio) * (values_.end_wd - values_.start_wd);
  fail(ErrorCode::kConfig,
       "lr_scheduler.wd_incr_style \"",
       values_.wd_incr_style,
       "\"; expected constant, linear or cosine");
}

}  // namespace automodel::optim
