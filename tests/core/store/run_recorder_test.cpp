#include "core/store/run_recorder.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/core/store/scratch_store.h"

namespace automodel::store {
namespace {

class RunRecorderTest : public ScratchStore {
 protected:
  static nlohmann::ordered_json line(int64_t step) {
    return {{"step", step}, {"epoch", 0}, {"loss", 1.0 / (step + 1)}};
  }
};

TEST_F(RunRecorderTest, KeepsEveryStepAndHowItEnded) {
  {
    RunRecorder run(path_, {"Recipe", "model", folder_.string(), "automodel x", "a: 1\n", "{\"a\": 1}", {}});
    for (int64_t step = 0; step < 1000; ++step) run.metric("", line(step));
    run.checkpoint({999, 0, "relative", 0.5, {}});
    run.finish(143, "stopped");
  }
  const RunStore store(path_);
  const store::Run run = store.find("last");
  EXPECT_EQ(run.state, RunState::kStopped);
  EXPECT_EQ(run.exit_status, 143);
  EXPECT_EQ(store.metrics(run.seq).at("").size(), 1000U);
  EXPECT_TRUE(store.checkpoints(run.seq).at(0).path.starts_with('/'));
  EXPECT_NE(store.details(run.seq).machine.find("cores"), std::string::npos);
  EXPECT_NE(store.details(run.seq).program.find("xxh128"), std::string::npos);
}

TEST_F(RunRecorderTest, AResumedRunNamesTheRunItContinues) {
  const RunStart start = {"Recipe", "model", folder_.string(), "", "", "", {}};
  const std::filesystem::path checkpoint = folder_ / "epoch_0_step_1";
  {
    RunRecorder first(path_, start);
    first.checkpoint({1, 0, checkpoint.string(), 0.5, {}});
    first.finish(130, "stopped");
    RunRecorder second(path_, start);
    second.resumed(checkpoint);
    second.finish(0, "");
    RunRecorder idle(path_, start);
    idle.resumed(checkpoint);
    idle.forget();
    idle.finish(0, "");
  }
  const RunStore store(path_);
  const std::vector<store::Run> runs = store.list();
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(store.resumed_run(runs[0])->id, runs[1].id);
  EXPECT_FALSE(store.resumed_run(runs[1]).has_value());
}

TEST_F(RunRecorderTest, ALossMayBeMissing) {
  {
    RunRecorder run(path_, {"Recipe", "model", folder_.string(), "", "", "", {}});
    run.metric("default", {{"step", 0}, {"val_loss", nullptr}});
    run.finish(0, "");
  }
  const RunStore store(path_);
  const store::Run run = store.find("last");
  EXPECT_FALSE(store.metrics(run.seq).at("default").front().loss.has_value());
  EXPECT_FALSE(run.lowest_val_loss.has_value());
}

TEST_F(RunRecorderTest, WithoutAWordARunHasFailed) {
  {
    RunRecorder run(path_, {"Recipe", "model", folder_.string(), "", "", "", {}});
  }
  EXPECT_EQ(RunStore(path_).find("last").state, RunState::kFailed);
}

TEST_F(RunRecorderTest, AStoreThatCannotBeOpenedStopsNothing) {
  std::ofstream(folder_ / "state") << "a file where the folder should be";
  RunRecorder run(path_, {"Recipe", "model", folder_.string(), "", "", "", {}});
  run.metric("", line(0));
  run.finish(0, "");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(RunRecorderTest, WhatALockDelaysIsWrittenAfterIt) {
  RunStore holder(path_);
  auto held = std::make_unique<Transaction>(holder.database());
  RunRecorder run(path_, {"Recipe", "model", folder_.string(), "", "", "", {}});
  run.metric("", line(0));
  held.reset();
  run.finish(0, "");
  EXPECT_EQ(holder.find("last").last_step, 0);
}

}  // namespace
}  // namespace automodel::store
