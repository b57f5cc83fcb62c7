#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/store/run_store.h"

namespace automodel::store {

/// A folder for one test's store, gone with it.
class ScratchStore : public ::testing::Test {
 protected:
  ScratchStore() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::path(::testing::TempDir()) / (std::string("automodel_") + info->test_suite_name() +
                                                       "." + info->name() + "." + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "state" / "runs.db";
  }

  ~ScratchStore() override { std::filesystem::remove_all(folder_); }

  static store::Run add(RunStore& store, const std::string& model, const std::string& recipe_json = "{}") {
    store::Run run;
    run.model = model;
    run.folder = "/somewhere/" + model;
    run.process = Process::current();
    RunDetails details;
    details.recipe_json = recipe_json;
    Transaction transaction(store.database());
    store.add(run, details);
    transaction.commit();
    return run;
  }

  std::filesystem::path folder_, path_;
};

}  // namespace automodel::store
