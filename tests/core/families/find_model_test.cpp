#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/families/family.h"

namespace automodel::families {
namespace {

namespace fs = std::filesystem;

class FindModel : public ::testing::Test {
 protected:
  FindModel() : cache_(fs::temp_directory_path() / ("find_model_test." + std::to_string(::getpid()))) {
    fs::create_directories(cache_);
    ::setenv("HF_HUB_CACHE", cache_.c_str(), 1);
  }

  ~FindModel() override {
    ::unsetenv("HF_HUB_CACHE");
    fs::remove_all(cache_);
  }

  std::string refusal(const std::string& name) {
    try {
      find_model(name);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kData);
      return error.message();
    }
    return "";
  }

  fs::path cache_;
};

TEST_F(FindModel, AFolderIsTakenAsGiven) {
  EXPECT_EQ(find_model(cache_.string()), cache_);
}

TEST_F(FindModel, AHubIdLeadsToTheSnapshotOfMain) {
  const fs::path repository = cache_ / "models--some-one--tiny.v1";
  fs::create_directories(repository / "refs");
  EXPECT_NE(refusal("some-one/tiny.v1").find("did not finish"), std::string::npos);
  std::ofstream(repository / "refs" / "main") << "0123abc\n";
  EXPECT_NE(refusal("some-one/tiny.v1").find("did not finish"), std::string::npos);
  fs::create_directories(repository / "snapshots" / "0123abc");
  EXPECT_EQ(find_model("some-one/tiny.v1"), repository / "snapshots" / "0123abc");
  EXPECT_NE(refusal("some-one/other").find(cache_.string()), std::string::npos);
}

TEST_F(FindModel, ACheckpointLeadsToTheModelThatItExported) {
  const fs::path run = cache_ / "run", exported = run / "epoch_0_step_3" / "model" / "consolidated";
  fs::create_directories(exported);
  fs::create_directory_symlink("epoch_0_step_3", run / "LATEST");
  const auto message = [&] {
    try {
      find_model_folder(run.string());
    } catch (const Error& error) {
      return error.message();
    }
    return std::string();
  };
  EXPECT_NE(message().find("no config.json"), std::string::npos);
  std::ofstream(exported.parent_path() / "adapter_config.json") << "{}";
  EXPECT_NE(message().find("--adapter"), std::string::npos);
  std::ofstream(exported / "config.json") << "{}";
  EXPECT_EQ(find_model_folder((run / "epoch_0_step_3").string()), exported);
  EXPECT_EQ(fs::canonical(find_model_folder(run.string())), exported);
  fs::remove(run / "LATEST");
  std::ofstream(run / "LATEST.txt") << "epoch_0_step_3\n";
  EXPECT_EQ(find_model_folder(run.string()), exported);
  EXPECT_EQ(find_model_folder((exported / "config.json").string()), exported / "config.json");
}

TEST_F(FindModel, WhatIsNoIdIsNotLookedUp) {
  EXPECT_NE(refusal("./missing/folder").find("no such folder"), std::string::npos);
  EXPECT_NE(refusal("../x").find("no such folder"), std::string::npos);
  EXPECT_NE(refusal("a/b/c").find("no such folder"), std::string::npos);
  EXPECT_NE(refusal("").find("no such folder"), std::string::npos);
}

}  // namespace
}  // namespace automodel::families
