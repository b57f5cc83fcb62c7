#include "core/store/folder_lock.h"

#include <fstream>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "tests/core/store/scratch_store.h"

namespace automodel::store {
namespace {

class FolderLockTest : public ScratchStore {};

TEST_F(FolderLockTest, TheSecondIsToldWhoHoldsIt) {
  auto first = std::make_unique<FolderLock>(folder_ / "run");
  try {
    const FolderLock second(folder_ / "run");
    ADD_FAILURE() << "two locks";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(error.message().find("process " + std::to_string(::getpid()) + " on "), std::string::npos)
        << error.message();
  }
  first.reset();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run" / ".lock"));
  const FolderLock third(folder_ / "run");
}

TEST_F(FolderLockTest, AFolderThatItMadeGoesWhenNothingWasLeftInIt) {
  {
    const FolderLock lock(folder_ / "new");
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
  std::filesystem::create_directory(folder_ / "old");
  {
    const FolderLock lock(folder_ / "old");
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "old"));
  {
    const FolderLock lock(folder_ / "used");
    std::ofstream(folder_ / "used" / "training.jsonl") << "{}\n";
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "used" / "training.jsonl"));
}

TEST_F(FolderLockTest, WhatADeadHolderLeftHoldsNothing) {
  std::ofstream(folder_ / ".lock") << "process 1 on elsewhere\n";
  const FolderLock lock(folder_);
}

TEST_F(FolderLockTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(folder_ / "file") << "x";
  try {
    const FolderLock lock(folder_ / "file" / "run");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(error.message().find("checkpoint.checkpoint_dir"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace automodel::store
