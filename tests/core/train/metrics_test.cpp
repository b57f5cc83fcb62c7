#include "core/train/metrics.h"

#include <filesystem>
#include <regex>

#include <gtest/gtest.h>

#include "core/base/files.h"

namespace automodel::train {
namespace {

TEST(Metrics, LinesHaveTheReferencesKeysInItsOrderAndForm) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "automodel_metrics_test";
  std::filesystem::remove_all(folder);
  store::RunRecorder nowhere(std::nullopt, {});
  Metrics metrics(folder, nowhere);
  TrainRecord record;
  record.step = 41;
  record.loss = 7.5;
  record.grad_norm = 0.25;
  record.lr = 1e-5;
  record.num_tokens_per_step = 1979;
  record.num_label_tokens = 1295;
  metrics.write(record);
  const std::regex line(
      R"(\{"step": 41, "epoch": 0, "timestamp": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "loss": 7\.5, )"
      R"("grad_norm": 0\.25, "lr": 1e-05, "mem": 0\.0, "tps": 0\.0, "tps_per_gpu": 0\.0, "mfu": null, )"
      R"("num_tokens_per_step": 1979, "num_label_tokens": 1295\}\n)");
  EXPECT_TRUE(std::regex_match(read_file(folder / "training.jsonl"), line))
      << read_file(folder / "training.jsonl");
  metrics.write(ValidationRecord{"long", 9, 0, 6.5, 0.001, 3895, 0});
  const std::regex validation(
      R"(\{"step": 9, "epoch": 0, "timestamp": "[^"]+", "val_loss": 6\.5, "lr": 0\.001, "num_label_tokens": 3895, )"
      R"("mem": 0\.0\}\n)");
  EXPECT_TRUE(std::regex_match(read_file(folder / "validation_long.jsonl"), validation));
  metrics.write(ValidationRecord{"none", 9, 0, std::nullopt, 0.001, 0, 0});
  EXPECT_NE(read_file(folder / "validation_none.jsonl").find("\"val_loss\": null"), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace automodel::train
