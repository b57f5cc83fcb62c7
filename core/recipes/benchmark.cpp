#include "core/recipes/benchmark.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/log.h"

namespace automodel::recipes {
namespace {

std::string with_decimals(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

}  // namespace

int64_t tokens_of_row(const config::Recipe& recipe) {
  return std::get<config::MockSet>(recipe.dataset.kind).seq_len;
}

Benchmark::Benchmark(const config::Recipe& recipe,
                     double flops_per_token,
                     std::optional<double> peak_tflops,
                     double setup_seconds,
                     int64_t world_size)
    : recipe_(recipe),
      tflops_per_step_(flops_per_token * 1e-12 *
                       static_cast<double>(recipe.step_scheduler.global_batch_size * tokens_of_row(recipe)) /
                       static_cast<double>(world_size)),
      peak_tflops_(peak_tflops),
      setup_seconds_(setup_seconds),
      world_size_(world_size) {}

void Benchmark::finish() const {
  const config::BenchmarkConfig& config = *recipe_.benchmark;
  const size_t num_warmup = std::min(static_cast<size_t>(config.warmup_steps), step_seconds_.size());
  const auto timed = step_seconds_.begin() + static_cast<std::ptrdiff_t>(num_warmup);
  const double warmup_seconds = std::accumulate(step_seconds_.begin(), timed, 0.0);
  const double seconds = std::accumulate(timed, step_seconds_.end(), 0.0);
  const size_t num_timed = step_seconds_.size() - num_warmup;
  log::info("Total setup time: ", with_decimals(setup_seconds_, 2), " seconds");
  log::info("Total warmup time (", num_warmup, " steps): ", with_decimals(warmup_seconds, 2), " seconds");
  if (num_timed == 0) {
    log::warning("no step came after the ",
                 config.warmup_steps,
                 " of benchmark.warmup_steps; raise step_scheduler.max_steps");
    return;
  }
  const double average = seconds / static_cast<double>(num_timed);
  std::optional<double> mfu;
  if (peak_tflops_) mfu = 100.0 * tflops_per_step_ / average / *peak_tflops_;
  log::info("Total iteration time (", num_timed, " steps): ", with_decimals(seconds, 2), " seconds");
  log::info("Average iteration time: ", with_decimals(average, 3), " seconds");
  log::info("Average MFU: ", mfu ? with_decimals(*mfu, 6) + "%" : "unknown; set benchmark.peak_tflops");
  if (config.json_output_path.empty()) return;
  nlohmann::ordered_json summary = {{"total_steps", step_seconds_.size()},
                                    {"warmup_steps", num_warmup},
                                    {"training_steps", num_timed},
                                    {"setup_time_seconds", setup_seconds_},
                                    {"warmup_time_seconds", warmup_seconds},
                                    {"training_time_seconds", seconds},
                                    {"avg_iter_time_seconds", average},
                                    {"avg_mfu_percent", nullptr},
                                    {"tflops_per_gpu", tflops_per_step_ / average},
                                    {"peak_tflops", nullptr},
                                    {"world_size", world_size_},
                                    {"global_batch_size", recipe_.step_scheduler.global_batch_size},
                                    {"local_batch_size", recipe_.step_scheduler.local_batch_size},
                                    {"seq_len", tokens_of_row(recipe_)}};
  if (mfu) summary["avg_mfu_percent"] = *mfu;
  if (peak_tflops_) summary["peak_tflops"] = *peak_tflops_;
  write_file_atomically(config.json_output_path, summary.dump(2) + "\n");
  log::info("Summary written to ", config.json_output_path);
}

}  // namespace automodel::recipes
