#include "core/train/progress.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "core/base/error.h"
#include "core/base/log.h"

namespace automodel::train {
namespace {

/// Three digits: "0.531", "12.3".
std::string short_seconds(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", seconds);
  return text.data();
}

}  // namespace

std::string duration_text(double seconds) {
  constexpr int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  const int64_t whole = std::llround(seconds);
  if (whole < kMinute) return detail::join(whole, " s");
  if (whole < kHour) return detail::join(whole / kMinute, " min ", whole % kMinute, " s");
  if (whole < kDay) return detail::join(whole / kHour, " h ", whole % kHour / kMinute, " min");
  return detail::join(whole / kDay, " d ", whole % kDay / kHour, " h");
}

Progress::Progress(int64_t steps_done, int64_t total_steps)
    : steps_done_(steps_done), total_steps_(total_steps) {}

std::string Progress::after(int64_t step, double seconds) {
  const double a_step = since_begin_.seconds() / static_cast<double>(step + 1 - steps_done_);
  const double left = a_step * static_cast<double>(total_steps_ - step - 1);
  return detail::join("step ",
                      step + 1,
                      " of ",
                      total_steps_,
                      ", ",
                      short_seconds(seconds),
                      " s a step, ",
                      duration_text(left),
                      " left");
}

void Progress::show(const TrainRecord& record) const {
  constexpr int64_t kWidth = 30;
  std::string bar(static_cast<size_t>(kWidth * (record.step + 1) / total_steps_), '=');
  bar.resize(kWidth, '.');
  log::set_status(
      detail::join("[", bar, "] ", record.progress, ", ", static_cast<int64_t>(record.tps), " tokens/s"));
}

}  // namespace automodel::train
