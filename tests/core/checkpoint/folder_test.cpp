#include "core/checkpoint/folder.h"

#include <fstream>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::checkpoint {
namespace {

namespace fs = std::filesystem;

/// An empty folder of its own for each test.
class CheckpointFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ =
        fs::path(::testing::TempDir()) /
        ("automodel_folder_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(dir_);
  }

  void TearDown() override { fs::remove_all(dir_); }

  void publish(int64_t epoch, int64_t step) { Staging(dir_, epoch, step).publish(); }

  fs::path dir_;
};

TEST_F(CheckpointFolder, NewestIsByStepNotByName) {
  publish(0, 9);
  publish(1, 19);
  publish(10, 100);
  EXPECT_EQ(find_checkpoint(dir_, std::nullopt), dir_ / "epoch_10_step_100");
  EXPECT_EQ(list_published(dir_).front().step, 9);
}

TEST_F(CheckpointFolder, AFolderBeingWrittenIsNotFoundAndGoesWithItsWriter) {
  {
    const Staging staging(dir_, 0, 5);
    std::ofstream(staging.path() / "half") << "half";
    EXPECT_EQ(find_checkpoint(dir_, std::nullopt), std::nullopt);
  }
  EXPECT_TRUE(fs::is_empty(dir_));
}

TEST_F(CheckpointFolder, LeftoversOfAKilledRunAreRemovedByTheNextSave) {
  fs::create_directories(dir_ / "epoch_0_step_3.incomplete" / "model");
  publish(0, 4);
  EXPECT_FALSE(fs::exists(dir_ / "epoch_0_step_3.incomplete"));
  EXPECT_TRUE(fs::exists(dir_ / "epoch_0_step_4"));
}

TEST_F(CheckpointFolder, RestoreFromTakesLinksNamesAndPaths) {
  publish(0, 1);
  publish(0, 2);
  point_link(dir_, "LOWEST_VAL", "epoch_0_step_1");
  point_link(dir_, "LATEST", "epoch_0_step_2");
  EXPECT_EQ(find_checkpoint(dir_, "LOWEST_VAL"), dir_ / "epoch_0_step_1");
  EXPECT_EQ(find_checkpoint(dir_, "LATEST"), dir_ / "epoch_0_step_2");
  EXPECT_EQ(find_checkpoint(dir_, "epoch_0_step_1"), dir_ / "epoch_0_step_1");
  EXPECT_EQ(find_checkpoint("elsewhere", (dir_ / "epoch_0_step_1").string()), dir_ / "epoch_0_step_1");
}

TEST_F(CheckpointFolder, AMissingChoiceNamesWhatIsThere) {
  publish(0, 1);
  try {
    find_checkpoint(dir_, "epoch_0_step_7");
    FAIL() << "found a checkpoint that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kData);
    EXPECT_NE(error.message().find("epoch_0_step_1"), std::string::npos) << error.message();
  }
}

TEST_F(CheckpointFolder, RetentionKeepsTheNewestAndWhatLinksName) {
  for (int64_t step = 1; step <= 5; ++step) publish(0, step);
  point_link(dir_, "LOWEST_VAL", "epoch_0_step_1");
  point_link(dir_, "LATEST", "epoch_0_step_5");
  remove_old(dir_, 2);
  std::vector<int64_t> steps;
  for (const Published& one : list_published(dir_)) steps.push_back(one.step);
  EXPECT_EQ(steps, (std::vector<int64_t>{1, 4, 5}));
}

TEST_F(CheckpointFolder, LatestDecidesWhereARunGoesOn) {
  publish(0, 1);
  publish(0, 9);
  point_link(dir_, "LATEST", "epoch_0_step_1");
  EXPECT_EQ(find_checkpoint(dir_, std::nullopt), dir_ / "epoch_0_step_1");
  point_link(dir_, "LATEST", "epoch_0_step_77");  // names nothing: a folder was deleted by hand
  EXPECT_EQ(find_checkpoint(dir_, std::nullopt), dir_ / "epoch_0_step_9");
}

TEST_F(CheckpointFolder, AnEarlierBranchKeepsItsFoldersAndGoesFirst) {
  const auto publish_in = [&](int64_t branch, int64_t step) {
    move_other_branch_aside(dir_, folder_name(0, step), branch);
    Staging staging(dir_, 0, step);
    std::ofstream(staging.path() / "step_scheduler.json") << "{\"branch\": " << branch << "}";
    staging.publish();
    point_link(dir_, "LATEST", folder_name(0, step));
  };
  for (const int64_t step : {1, 3, 5, 7, 9}) publish_in(0, step);
  point_link(dir_, "LOWEST_VAL", "epoch_0_step_3");
  publish_in(1, 3);
  publish_in(1, 5);
  EXPECT_EQ(read_link(dir_, "LOWEST_VAL"), "epoch_0_step_3.branch_0");
  std::vector<std::string> names;
  for (const Published& one : list_published(dir_)) names.push_back(one.path.filename().string());
  EXPECT_EQ(names,
            (std::vector<std::string>{"epoch_0_step_1",
                                      "epoch_0_step_3.branch_0",
                                      "epoch_0_step_5.branch_0",
                                      "epoch_0_step_7",
                                      "epoch_0_step_9",
                                      "epoch_0_step_3",
                                      "epoch_0_step_5"}));
  remove_old(dir_, 2);
  names.clear();
  for (const Published& one : list_published(dir_)) names.push_back(one.path.filename().string());
  EXPECT_EQ(names, (std::vector<std::string>{"epoch_0_step_3.branch_0", "epoch_0_step_3", "epoch_0_step_5"}));
}

}  // namespace
}  // namespace automodel::checkpoint
