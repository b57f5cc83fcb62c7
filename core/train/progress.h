#pragma once

#include <cstdint>
#include <string>

#include "core/base/stopwatch.h"
#include "core/train/metrics.h"

namespace automodel::train {

/// "8 s", "1 min 23 s", "2 h 5 min", "3 d 4 h".
std::string duration_text(double seconds);

/// How far a run is: the end of each step's line, and the bar below the log on a terminal.
class Progress {
 public:
  Progress(int64_t steps_done, int64_t total_steps);

  /// "step 4 of 20, 0.53 s a step, 8 s left". `seconds`: of this step. What is left is reckoned from all that
  /// this process has done since it began, so that validation and saving count.
  std::string after(int64_t step, double seconds);

  /// Draws the bar.
  void show(const TrainRecord& record) const;

 private:
  int64_t steps_done_;  ///< when this process began
  int64_t total_steps_;
  Stopwatch since_begin_;
};

}  // namespace automodel::train
