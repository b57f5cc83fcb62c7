#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/store/json_lines.h"
#include "core/store/run_recorder.h"

namespace automodel::train {

/// Further numbers of a line, by name.
using ExtraMetrics = std::vector<std::pair<std::string, double>>;

/// One line of training.jsonl.
struct TrainRecord {
  int64_t step = 0;
  int64_t epoch = 0;
  std::optional<double> loss;  ///< mean over the step's label tokens; none: it had no label
  double grad_norm = 0;        ///< before clipping
  double lr = 0;               ///< of the next step
  double mem_gib = 0;          ///< peak since the last line: device memory, or the process's on a CPU
  double tps = 0;              ///< tokens per second since the last step, validation or save ended
  std::optional<double> mfu_percent;
  int64_t num_tokens_per_step = 0;
  int64_t num_label_tokens = 0;
  ExtraMetrics extra_metrics;  ///< written after the others
  std::string progress;        ///< ends the line of the log: "step 4 of 20, 0.5 s a step, 8 s left"
};

/// One line of validation.jsonl.
struct ValidationRecord {
  std::string name;  ///< of the set; "default" writes validation.jsonl, others validation_NAME.jsonl
  int64_t step = 0;
  int64_t epoch = 0;
  std::optional<double> val_loss;  ///< none: the set has no label
  double lr = 0;
  int64_t num_label_tokens = 0;
  double mem_gib = 0;
};

/// Writes the records of a run to its folder and to the log, in the reference's exact forms.
class Metrics {
 public:
  /// Every record goes to `run` too.
  Metrics(std::filesystem::path folder, store::RunRecorder& run);

  void write(const TrainRecord& record);
  void write(const ValidationRecord& record);

 private:
  std::filesystem::path folder_;
  store::RunRecorder& run_;
  std::unique_ptr<store::JsonLines> training_;  ///< made with its first line
  std::map<std::string, std::unique_ptr<store::JsonLines>> validation_;
};

/// Most memory the process has held, in GiB.
double peak_process_memory_gib();

}  // namespace automodel::train
