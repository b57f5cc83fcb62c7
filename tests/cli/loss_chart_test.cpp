#include "cli/loss_chart.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"

namespace automodel::cli {
namespace {

class LossChart : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("loss_chart_" + std::to_string(getpid()) + ".jsonl");
  }

  void TearDown() override { std::filesystem::remove(path_); }

  std::string chart_of(const std::string& lines) {
    write_file_atomically(path_, lines);
    return loss_chart(path_);
  }

  std::filesystem::path path_;
};

TEST_F(LossChart, TheLastLineOfAStepCounts) {
  const std::string chart =
      chart_of("{\"step\": 0, \"loss\": 3.0}\n{\"step\": 1, \"loss\": 9.0}\n{\"step\": 1, \"loss\": 2.0}\n");
  EXPECT_NE(chart.find("3.0000"), std::string::npos);
  EXPECT_NE(chart.find("2.0000"), std::string::npos);
  EXPECT_EQ(chart.find("9.0000"), std::string::npos);
}

TEST_F(LossChart, FewerThanTwoStepsDrawNothing) {
  EXPECT_EQ(chart_of(""), "");
  EXPECT_EQ(chart_of("{\"step\": 0, \"loss\": 3.0}\n{\"step\": 1, \"loss\": null}\n"), "");
}

TEST_F(LossChart, AHalfLineIsNamed) {
  try {
    chart_of("{\"step\": 0, \"loss\": 3.0}\n{\"step\": 1, \"lo");
    FAIL() << "accepted half a line";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kData);
    EXPECT_NE(error.message().find(":2: "), std::string::npos) << error.message();
  }
}

TEST_F(LossChart, TheEnvironmentDecidesBeforeTheTerminal) {
  setenv("AUTOMODEL_CHART", "1", 1);
  EXPECT_TRUE(loss_chart_wanted());
  setenv("AUTOMODEL_CHART", "0", 1);
  EXPECT_FALSE(loss_chart_wanted());
  unsetenv("AUTOMODEL_CHART");
}

}  // namespace
}  // namespace automodel::cli
