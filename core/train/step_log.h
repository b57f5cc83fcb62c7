#pragma once

#include <optional>

#include "core/base/stopwatch.h"
#include "core/train/metrics.h"
#include "core/train/progress.h"
#include "core/train/remarks.h"
#include "core/train/step.h"

namespace automodel::train {

/// Writes the record of each step: its rate, its share of the device's peak, how far the run is.
class StepLog {
 public:
  /// Keeps references to the training and to `metrics`.
  StepLog(const Training& training, Metrics& metrics, int64_t steps_done, int64_t total_steps);

  struct Written {
    std::optional<double> loss;  ///< none: no token of the step had a label
    double seconds = 0;          ///< since the step before
  };

  /// Waits for the step's numbers. Throws what finish() does.
  Written write(PendingStep step);

  /// The next step is timed from now: validation and saving are no part of it.
  void restart_clock();

 private:
  const Training& training_;
  Metrics& metrics_;
  std::optional<double> peak_tflops_;
  Progress progress_;
  DivergenceWatch divergence_;
  Stopwatch since_last_;
  std::optional<tensor::HostCopy> last_ready_;
};

}  // namespace automodel::train
