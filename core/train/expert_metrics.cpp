#include "core/train/expert_metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/strings.h"

namespace automodel::train {
namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(const std::vector<double>& sorted) {
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/// NaN for one expert, as torch's standard deviation of one number.
double variation(const std::vector<double>& load) {
  const double of_layer = mean(load);
  if (of_layer <= 0) return 0;
  double squares = 0;
  for (const double tokens : load) squares += (tokens - of_layer) * (tokens - of_layer);
  return std::sqrt(squares / static_cast<double>(load.size() - 1)) / of_layer;
}

/// An expert's share, 1 where all have the same.
struct Use {
  double utilization;
  size_t layer, expert;
};

std::vector<Use> uses_of(const std::vector<std::vector<double>>& loads) {
  std::vector<Use> uses;
  for (size_t layer = 0; layer < loads.size(); ++layer) {
    const double of_layer = mean(loads[layer]);
    for (size_t expert = 0; expert < loads[layer].size(); ++expert)
      uses.push_back({of_layer > 0 ? loads[layer][expert] / of_layer : 0, layer, expert});
  }
  std::ranges::stable_sort(uses, {}, &Use::utilization);
  return uses;
}

std::string layer_name(size_t layer, const char* what) {
  return detail::join("moe/layer_", layer, "/", what);
}

void add_named(const std::vector<Use>& uses, size_t top_k, ExtraMetrics& extra_metrics) {
  const size_t few = std::min(top_k, uses.size());
  for (size_t i = 0; i < uses.size(); ++i) {
    if (i >= few && i + few < uses.size()) continue;
    const Use& use = uses[i];
    extra_metrics.emplace_back(
        detail::join("moe_expert_utilization/layer_", use.layer, "_expert_", use.expert), use.utilization);
  }
}

void add_spread(const std::vector<Use>& uses, ExtraMetrics& extra_metrics) {
  std::vector<double> sorted;
  for (const Use& use : uses) sorted.push_back(use.utilization);
  const size_t n = sorted.size();
  extra_metrics.emplace_back("moe/expert_utilization_p25", n >= 4 ? sorted[n / 4] : sorted.front());
  extra_metrics.emplace_back("moe/expert_utilization_median", median(sorted));
  extra_metrics.emplace_back("moe/expert_utilization_p75", n >= 4 ? sorted[3 * n / 4] : sorted.back());
  extra_metrics.emplace_back("moe/expert_utilization_min", sorted.front());
  extra_metrics.emplace_back("moe/expert_utilization_max", sorted.back());
}

}  // namespace

std::vector<std::vector<double>> split_loads(const std::vector<double>& values,
                                             size_t first,
                                             const std::vector<int64_t>& num_experts) {
  std::vector<std::vector<double>> loads;
  auto next = values.begin() + static_cast<std::ptrdiff_t>(first);
  for (const int64_t experts : num_experts) {
    ensure(values.end() - next >= experts, "loads of ", experts, " experts");
    loads.emplace_back(next, next + experts);
    next += experts;
  }
  return loads;
}

ExtraMetrics expert_metrics(const std::vector<std::vector<double>>& loads,
                            const config::MoeMetricsConfig& config,
                            int64_t step) {
  ExtraMetrics extra_metrics;
  if (loads.empty()) return extra_metrics;
  const bool detailed = config.detailed && step % config.detailed_every_steps.value_or(1) == 0;
  std::vector<double> variations;
  for (size_t layer = 0; layer < loads.size(); ++layer) {
    variations.push_back(variation(loads[layer]));
    if (detailed) extra_metrics.emplace_back(layer_name(layer, "cv"), variations.back());
  }
  extra_metrics.emplace_back("moe/cv_mean", mean(variations));
  // NaN has no place in an order.
  if (std::ranges::any_of(variations, [](double cv) { return std::isnan(cv); }))
    variations.assign(1, std::nan(""));
  std::ranges::sort(variations);
  extra_metrics.emplace_back("moe/cv_median", median(variations));
  extra_metrics.emplace_back("moe/cv_min", variations.front());
  extra_metrics.emplace_back("moe/cv_max", variations.back());
  const std::vector<Use> uses = uses_of(loads);
  add_named(uses, static_cast<size_t>(config.top_k_experts), extra_metrics);
  for (size_t layer = 0; detailed && layer < loads.size(); ++layer)
    extra_metrics.emplace_back(layer_name(layer, "utilization_mean"), mean(loads[layer]) > 0 ? 1.0 : 0.0);
  add_spread(uses, extra_metrics);
  return extra_metrics;
}

}  // namespace automodel::train
