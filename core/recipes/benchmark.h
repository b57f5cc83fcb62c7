#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/config/recipe/recipe.h"

namespace automodel::recipes {

/// Tokens of a row of the benchmark recipe's random tokens.
int64_t tokens_of_row(const config::Recipe& recipe);

/// The benchmark recipe's figures: how long steps take after a warm-up, and what share of the device's peak
/// that is.
class Benchmark {
 public:
  /// `flops_per_token` of training at the rows' length; `peak_tflops` of one device, if known;
  /// `setup_seconds`: until the first step begins.
  Benchmark(const config::Recipe& recipe,
            double flops_per_token,
            std::optional<double> peak_tflops,
            double setup_seconds,
            int64_t world_size);

  void add_step(double seconds) { step_seconds_.push_back(seconds); }

  /// Logs the summary and writes it to benchmark.json_output_path.
  void finish() const;

 private:
  const config::Recipe& recipe_;
  double tflops_per_step_;  ///< of one device
  std::optional<double> peak_tflops_;
  double setup_seconds_;
  int64_t world_size_;
  std::vector<double> step_seconds_;
};

}  // namespace automodel::recipes
