#include "core/train/peak_rate.h"

#include <gtest/gtest.h>

namespace automodel::train {
namespace {

TEST(PeakRate, IsFoundByTheNamesOfDrivers) {
  EXPECT_EQ(stated_peak_tflops("NVIDIA H200"), 989);
  EXPECT_EQ(stated_peak_tflops("NVIDIA H100 80GB HBM3"), 989);
  EXPECT_EQ(stated_peak_tflops("NVIDIA H100 PCIe"), 756);
  EXPECT_EQ(stated_peak_tflops("NVIDIA A100-SXM4-80GB"), 312);
  EXPECT_EQ(stated_peak_tflops("NVIDIA B200"), 2250);
  EXPECT_EQ(stated_peak_tflops("NVIDIA GB200"), 2500);
  EXPECT_EQ(stated_peak_tflops("NVIDIA H100 NVL"), 835);
  EXPECT_EQ(stated_peak_tflops("NVIDIA H200 NVL"), 835);
}

TEST(PeakRate, IsUnknownForOthers) {
  EXPECT_EQ(stated_peak_tflops("NVIDIA RTX A1000"), std::nullopt);
  EXPECT_EQ(stated_peak_tflops("NVIDIA A100-SXM4-40GB MIG 1g.5gb"), std::nullopt);
  EXPECT_EQ(stated_peak_tflops("NVIDIA GeForce RTX 3060"), std::nullopt);
}

}  // namespace
}  // namespace automodel::train
