#include "core/store/run_files.h"

#include <fstream>

#include "core/base/error.h"
#include "tests/core/store/scratch_store.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;

class RunFilesTest : public ScratchStore {
 protected:
  void append(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
};

TEST_F(RunFilesTest, LeavesOutLinesThatACrashCut) {
  append("training.jsonl",
         "{\"step\": 0, \"loss\": 3.5}\n{\"step\": 1, \"lo\n{\"step\": 1, \"loss\": 3.25}\n{\"st");
  const std::vector<Metric> metrics = read_metric_files(folder_);
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics[1].loss, 3.25);
}

TEST_F(RunFilesTest, ImportsAFolderOnceHoweverOften) {
  append("training.jsonl",
         "{\"step\": 0, \"epoch\": 0, \"loss\": 3.5}\n{\"step\": 1, \"epoch\": 0, \"loss\": 3.25}\n");
  append("validation_long.jsonl", "{\"step\": 1, \"epoch\": 0, \"val_loss\": 3.0}\n");
  fs::create_directories(folder_ / "epoch_0_step_1");
  append("epoch_0_step_1/losses.json", R"({"train_loss": 3.25, "val_loss": {"default": 3.1, "long": 3.0}})");
  append("epoch_0_step_1/config.yaml",
         "recipe: R\nmodel:\n  pretrained_model_name_or_path: m\nwandb:\n  api_key: k3y\n");
  RunStore store(path_);
  import_folder(store, folder_);
  append("training.jsonl", "{\"step\": 2, \"epoch\": 0, \"loss\": 3.0}\n");
  const store::Run run = import_folder(store, folder_ / "." / "");
  EXPECT_EQ(store.num_runs(), 1);
  EXPECT_EQ(run.last_step, 2);
  EXPECT_EQ(run.state, RunState::kUnknown);
  EXPECT_EQ(run.model, "m");
  EXPECT_EQ(store.metrics(run.seq).at("long").front().loss, 3.0);
  ASSERT_EQ(store.checkpoints(run.seq).size(), 1U);
  EXPECT_EQ(store.checkpoints(run.seq)[0].val_loss, 3.1);
  EXPECT_EQ(store.details(run.seq).recipe_yaml.find("k3y"), std::string::npos);
}

TEST_F(RunFilesTest, AFolderWithoutARunIsAnError) {
  RunStore store(path_);
  EXPECT_THROW(import_folder(store, folder_ / "nowhere"), Error);
}

TEST_F(RunFilesTest, ADeadRunGetsItsOwnLinesOnly) {
  RunStore store(path_);
  const auto start = [&](int64_t pid) {
    store::Run run;
    run.folder = folder_.string();
    run.process = Process::current();
    run.process.pid = pid;
    run.process.started_ticks = -1;  // no process began before the boot
    RunDetails details;
    details.file_sizes = metric_file_sizes(folder_);
    Transaction transaction(store.database());
    store.add(run, details);
    transaction.commit();
    return run;
  };
  const store::Run first = start(1);
  append("training.jsonl", "{\"step\": 0, \"loss\": 3.5}\n{\"step\": 1, \"loss\": 3.25}\n");
  const store::Run second = start(2);
  append("training.jsonl", "{\"step\": 2, \"loss\": 3.0}\n");
  EXPECT_EQ(settle_dead_runs(store), 2);
  EXPECT_EQ(settle_dead_runs(store), 0);
  EXPECT_EQ(store.find(first.id).state, RunState::kKilled);
  EXPECT_EQ(store.find(first.id).last_step, 1);
  EXPECT_EQ(store.find(second.id).first_step, 2);
  EXPECT_EQ(store.find(second.id).last_loss, 3.0);
}

}  // namespace
}  // namespace automodel::store
