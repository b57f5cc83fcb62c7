// Expected values by hand, with the formulas of the reference's load balance metrics.
#include "core/train/expert_metrics.h"

#include <cmath>
#include <map>
#include <optional>

#include <gtest/gtest.h>

namespace automodel::train {
namespace {

using Loads = std::vector<std::vector<double>>;

std::map<std::string, double> by_name(const ExtraMetrics& extra_metrics) {
  return {extra_metrics.begin(), extra_metrics.end()};
}

config::MoeMetricsConfig config_of(bool detailed, std::optional<int64_t> every_steps, int64_t top_k) {
  config::MoeMetricsConfig config;
  config.detailed = detailed;
  config.detailed_every_steps = every_steps;
  config.top_k_experts = top_k;
  return config;
}

// cv: sqrt(5 / 3 * 100^2) / 250 and 0.
const Loads kLoads = {{100, 200, 300, 400}, {50, 50, 50, 50}};
const double kVariation = std::sqrt(50000.0 / 3) / 250;

TEST(ExpertMetrics, BriefOnesAreOverAllLayers) {
  const auto extra_metrics = by_name(expert_metrics(kLoads, {}, 7));
  EXPECT_EQ(extra_metrics.size(), 9u);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/cv_mean"), kVariation / 2);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/cv_median"), kVariation / 2);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/cv_min"), 0);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/cv_max"), kVariation);
  // Sorted: 0.4 0.8 1 1 1 1 1.2 1.6
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/expert_utilization_p25"), 1);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/expert_utilization_median"), 1);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/expert_utilization_p75"), 1.2);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/expert_utilization_min"), 0.4);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/expert_utilization_max"), 1.6);
}

TEST(ExpertMetrics, NamesTheMostAndTheLeastUsed) {
  const auto extra_metrics = by_name(expert_metrics(kLoads, config_of(false, {}, 1), 0));
  EXPECT_EQ(extra_metrics.size(), 11u);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe_expert_utilization/layer_0_expert_0"), 0.4);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe_expert_utilization/layer_0_expert_3"), 1.6);
  EXPECT_EQ(by_name(expert_metrics(kLoads, config_of(false, {}, 100), 0)).size(), 17u);
}

TEST(ExpertMetrics, DetailedOnesAreOfEachLayerInSomeSteps) {
  const config::MoeMetricsConfig config = config_of(true, 3, 0);
  const auto extra_metrics = by_name(expert_metrics(kLoads, config, 6));
  EXPECT_EQ(extra_metrics.size(), 13u);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/layer_0/cv"), kVariation);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/layer_1/cv"), 0);
  EXPECT_DOUBLE_EQ(extra_metrics.at("moe/layer_1/utilization_mean"), 1);
  EXPECT_EQ(expert_metrics(kLoads, config, 7).size(), 9u);
  EXPECT_EQ(expert_metrics(kLoads, config_of(true, {}, 0), 7).size(), 13u);
}

TEST(ExpertMetrics, ExpertsWithoutTokensAreNotUsed) {
  const auto extra_metrics = by_name(expert_metrics({{0, 0}}, {}, 0));
  EXPECT_EQ(extra_metrics.at("moe/cv_max"), 0);
  EXPECT_EQ(extra_metrics.at("moe/expert_utilization_max"), 0);
  EXPECT_TRUE(expert_metrics({}, {}, 0).empty());
}

TEST(ExpertMetrics, ALayerOfOneExpertHasNoVariation) {
  const auto extra_metrics = by_name(expert_metrics({{1, 3}, {4}, {2, 2}}, {}, 0));
  for (const char* name : {"moe/cv_mean", "moe/cv_median", "moe/cv_min", "moe/cv_max"})
    EXPECT_TRUE(std::isnan(extra_metrics.at(name))) << name;
  EXPECT_EQ(extra_metrics.at("moe/expert_utilization_max"), 1.5);
}

TEST(ExpertMetrics, LoadsComeOneLayerAfterTheOther) {
  EXPECT_EQ(split_loads({9, 9, 1, 2, 3}, 2, {2, 1}), (Loads{{1, 2}, {3}}));
}

}  // namespace
}  // namespace automodel::train
