#include "core/optim/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

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

}  // namespace

LrSchedule::LrSchedule(const std::optional<config::LrSchedulerConfig>& section,
                       const config::OptimizerConfig& optimizer,
                       int64_t total_steps)
    : max_lr_(optimizer.lr), start_wd_(optimizer.weight_decay), end_wd_(optimizer.weight_decay) {
  if (!section) return;
  constant_ = false;
  style_ = section->lr_decay_style;
  wsd_style_ = section->lr_wsd_decay_style;
  wd_style_ = section->wd_incr_style;
  init_lr_ = section->init_lr.value_or(0.1 * optimizer.lr);
  max_lr_ = section->max_lr.value_or(optimizer.lr);
  min_lr_ = section->min_lr.value_or(0.01 * optimizer.lr);
  start_wd_ = section->start_wd.value_or(optimizer.weight_decay);
  end_wd_ = section->end_wd.value_or(optimizer.weight_decay);
  warmup_steps_ = section->lr_warmup_steps.value_or(std::min<int64_t>(1000, total_steps / 10));
  decay_steps_ = section->lr_decay_steps.value_or(std::max(total_steps, warmup_steps_ + 1));
  wsd_decay_steps_ = section->wsd_decay_steps.value_or(0);
  wd_incr_steps_ = section->wd_incr_steps.value_or(total_steps);
  check(
      min_lr_ <= max_lr_, ErrorCode::kConfig, "lr_scheduler.min_lr ", min_lr_, " is above max_lr ", max_lr_);
  check(init_lr_ <= max_lr_,
        ErrorCode::kConfig,
        "lr_scheduler.init_lr ",
        init_lr_,
        " is above max_lr ",
        max_lr_);
  check(style_ == "constant" || warmup_steps_ < decay_steps_,
        ErrorCode::kConfig,
        "lr_scheduler.lr_warmup_steps ",
        warmup_steps_,
        " is not below lr_decay_steps ",
        decay_steps_);
  check(style_ != "WSD" || wsd_decay_steps_ > 0,
        ErrorCode::kConfig,
        "lr_scheduler.wsd_decay_steps is needed for lr_decay_style WSD");
  wsd_fall(wsd_style_, 0);
  decayed(warmup_steps_);  // an unknown style is an error now, not at the end of the warm-up
}

double LrSchedule::lr(int64_t step) const {
  if (constant_) return max_lr_;
  if (warmup_steps_ > 0 && step <= warmup_steps_) {
    return init_lr_ + (max_lr_ - init_lr_) * static_cast<double>(step) / static_cast<double>(warmup_steps_);
  }
  return decayed(step);
}

double LrSchedule::decayed(int64_t step) const {
  if (style_ == "constant") return max_lr_;
  if (step > decay_steps_) return min_lr_;
  if (style_ == "inverse-square-root") {
    const auto warmup = static_cast<double>(std::max<int64_t>(warmup_steps_, 1));
    const auto now = static_cast<double>(std::max<int64_t>(step, 1));
    return std::max(min_lr_, max_lr_ * std::sqrt(warmup) / std::sqrt(now));
  }
  const double ratio =
      static_cast<double>(step - warmup_steps_) / static_cast<double>(decay_steps_ - warmup_steps_);
  double fall = 0;
  if (style_ == "linear") {
    fall = 1.0 - ratio;
  } else if (style_ == "cosine") {
    fall = cosine_fall(ratio);
  } else if (style_ == "WSD") {
    const int64_t start = decay_steps_ - wsd_decay_steps_;
    fall =
        step <= start
            ? 1.0
            : wsd_fall(wsd_style_, static_cast<double>(step - start) / static_cast<double>(wsd_decay_steps_));
  } else {
    fail(ErrorCode::kConfig,
         "lr_scheduler.lr_decay_style \"",
         style_,
         "\"; expected cosine, linear, constant, inverse-square-root or WSD");
  }
  return min_lr_ + fall * (max_lr_ - min_lr_);
}

double LrSchedule::weight_decay(int64_t step) const {
  if (constant_ || wd_style_ == "constant" || step > wd_incr_steps_) return end_wd_;
  const double ratio = static_cast<double>(step) / static_cast<double>(wd_incr_steps_);
  if (wd_style_ == "linear") return start_wd_ + ratio * (end_wd_ - start_wd_);
  if (wd_style_ == "cosine") return start_wd_ + cosine_fall(1.0 - ratio) * (end_wd_ - start_wd_);
  fail(ErrorCode::kConfig,
       "lr_scheduler.wd_incr_style \"",
       wd_style_,
       "\"; expected constant, linear or cosine");
}

}  // namespace automodel::optim
