#include "core/store/run_store.h"

#include <cstdlib>
#include <fstream>

#include "core/base/error.h"
#include "tests/core/store/scratch_store.h"

namespace automodel::store {
namespace {

class RunStoreTest : public ScratchStore {};

std::vector<std::string> models(const std::vector<Run>& runs) {
  std::vector<std::string> names;
  for (const store::Run& run : runs) names.push_back(run.model);
  return names;
}

std::string message_of(const std::function<void()>& action, ErrorCode code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code));
    return error.message();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST_F(RunStoreTest, ListsTheNewestFirstWhateverTheClockSaid) {
  RunStore store(path_);
  for (const char* model : {"first", "second", "third"}) add(store, model);
  store.database().run("UPDATE runs SET started_at = '1970-01-01T00:00:00.000Z' WHERE model = 'third'");
  EXPECT_EQ(models(store.list()), (std::vector<std::string>{"third", "second", "first"}));
  RunFilter newest;
  newest.limit = 1;
  EXPECT_EQ(models(store.list(newest)), std::vector<std::string>{"third"});
  EXPECT_EQ(store.find("last").model, "third");
}

TEST_F(RunStoreTest, FiltersByStateTextFolderAndRecipeValues) {
  RunStore store(path_);
  add(store, "llama", R"({"optimizer": {"lr": 1e-5, "name": "AdamW"}, "deep": {"key.with": true}})");
  store::Run qwen = add(store, "qwen", R"({"optimizer": {"lr": 0.00002, "clip": null}})");
  qwen.state = RunState::kDone;
  store.finish(qwen, "");
  const auto with = [&](auto change) {
    RunFilter filter;
    change(filter);
    return models(store.list(filter));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(with([](RunFilter& f) { f.state = RunState::kDone; }), Names{"qwen"});
  EXPECT_EQ(with([](RunFilter& f) { f.text = "LLAM"; }), Names{"llama"});
  EXPECT_EQ(with([](RunFilter& f) { f.folder = "/somewhere/qwen"; }), Names{"qwen"});
  EXPECT_EQ(with([](RunFilter& f) { f.recipe_values = {{"optimizer.lr", "1e-5"}}; }), Names{"llama"});
  EXPECT_EQ(with([](RunFilter& f) { f.recipe_values = {{"optimizer.lr", "2.0e-5"}}; }), Names{"qwen"});
  EXPECT_EQ(with([](RunFilter& f) { f.recipe_values = {{"optimizer.name", "AdamW"}}; }), Names{"llama"});
  EXPECT_EQ(with([](RunFilter& f) { f.recipe_values = {{"optimizer.clip", "null"}}; }), Names{"qwen"});
  EXPECT_EQ(with([](RunFilter& f) { f.recipe_values = {{"optimizer.nothing", "null"}}; }), Names{});
}

TEST_F(RunStoreTest, FindsByAnUnambiguousBeginning) {
  RunStore store(path_);
  for (const char* model : {"a", "b", "c"}) add(store, model);
  store.database().run(
      "UPDATE runs SET id = 'abcd0001' WHERE model = 'a'; UPDATE runs SET id = 'abcd0002' WHERE model = 'b';"
      "UPDATE runs SET id = '12345678' WHERE model = 'c'");
  EXPECT_EQ(store.find("abcd0001").model, "a");
  EXPECT_EQ(store.find("1").model, "c");
  const std::string ambiguous = message_of([&] { store.find("abcd"); }, ErrorCode::kUsage);
  EXPECT_NE(ambiguous.find("abcd0002, abcd0001"), std::string::npos) << ambiguous;
  const std::string near = message_of([&] { store.find("12345679"); }, ErrorCode::kUsage);
  EXPECT_NE(near.find("did you mean 12345678?"), std::string::npos) << near;
  EXPECT_THROW(store.find(""), Error);
  EXPECT_THROW(store.find("%"), Error);
}

TEST_F(RunStoreTest, TheLastLineOfAStepWins) {
  RunStore store(path_);
  const store::Run run = add(store, "m");
  const auto metric = [](const std::string& set, int64_t step, double loss) {
    Metric made;
    made.set = set;
    made.step = step;
    made.loss = loss;
    return made;
  };
  store.add_metrics(run.seq,
                    {metric("", 0, 9), metric("", 1, 8), metric("", 1, 7.5), metric("default", 1, 6)});
  store.add_metrics(run.seq, {metric("", 2, 7), metric("default", 2, 6.5), metric("other", 2, 1)});
  const store::Run summary = store.find(run.id);
  EXPECT_EQ(summary.first_step, 0);
  EXPECT_EQ(summary.last_step, 2);
  EXPECT_EQ(summary.last_loss, 7.0);
  EXPECT_EQ(summary.lowest_val_loss, 6.0);
  const auto sets = store.metrics(run.seq);
  ASSERT_EQ(sets.at("").size(), 3U);
  EXPECT_EQ(sets.at("")[1].loss, 7.5);
  EXPECT_EQ(sets.at("default").size(), 2U);
}

TEST_F(RunStoreTest, RemovingARunTakesWhatBelongsToIt) {
  RunStore store(path_);
  const store::Run run = add(store, "m");
  store.add_metrics(run.seq, {Metric{"", 0, 0, "", 1.0, {}, {}, {}, {}, {}, {}, {}}});
  store.add_checkpoint(run.seq, {0, 0, "/x", 1.0, {}});
  store.remove(run.seq);
  for (const char* table : {"runs", "details", "metrics", "checkpoints"})
    EXPECT_EQ(store.database().integer(std::string("SELECT count(*) FROM ") + table), 0) << table;
}

TEST_F(RunStoreTest, RefusesOtherFilesAndNewerOnes) {
  std::filesystem::create_directories(path_.parent_path());
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_NE(message_of([&] { RunStore store(path_); }, ErrorCode::kFormat).find("runs import"),
            std::string::npos);
  std::filesystem::remove(path_);
  Database(path_, Database::Access::kReadWrite, 100).run("CREATE TABLE theirs(x)");
  EXPECT_NE(message_of([&] { RunStore store(path_); }, ErrorCode::kFormat).find("not a run store"),
            std::string::npos);
  std::filesystem::remove(path_);
  RunStore(path_).database().run("PRAGMA user_version = 3");
  EXPECT_NE(message_of([&] { RunStore store(path_); }, ErrorCode::kFormat).find("newer automodel"),
            std::string::npos);
}

TEST_F(RunStoreTest, AFileOfTheFirstVersionIsReadAndBroughtUpToDateWhenItIsWritten) {
  {
    RunStore store(path_);
    add(store, "m");
    store.database().run("ALTER TABLE details DROP COLUMN resumed_from");
    store.database().run("PRAGMA user_version = 1");
  }
  const RunStore old(path_, RunStore::Access::kReadOnly);
  EXPECT_FALSE(old.resumed_run(old.find("last")).has_value());
  RunStore store(path_);
  EXPECT_EQ(store.database().integer("PRAGMA user_version"), 2);
  store.set_resumed_from(store.find("last").seq, "/x");
  EXPECT_EQ(store.details(store.find("last").seq).resumed_from, "/x");
}

TEST_F(RunStoreTest, ALockIsWaitedForAndThenNamed) {
  RunStore holder(path_);
  RunStore waiting(path_, RunStore::Access::kReadWrite, 50);
  const Transaction held(holder.database());
  EXPECT_NE(message_of([&] { Transaction mine(waiting.database()); }, ErrorCode::kIo).find("locked"),
            std::string::npos);
}

TEST_F(RunStoreTest, JournalsAsTheFileSystemBears) {
  EXPECT_TRUE(is_network_file_system(0x6969));       // NFS, statfs(2)
  EXPECT_TRUE(is_network_file_system(0xff534d42));   // CIFS
  EXPECT_TRUE(is_network_file_system(0x0bd00bd0));   // Lustre
  EXPECT_FALSE(is_network_file_system(0xef53));      // ext4
  EXPECT_FALSE(is_network_file_system(0x01021994));  // tmpfs
  const auto journal_of = [](const RunStore& store) {
    Statement row = store.database().prepare("PRAGMA journal_mode");
    row.step();
    return row.text(0);
  };
  EXPECT_EQ(journal_of(RunStore(path_)), "wal");
  const RunStore rollback(path_, RunStore::Access::kReadWrite, 1000, Journal::kRollback);
  EXPECT_EQ(journal_of(rollback), "delete");
  EXPECT_FALSE(std::filesystem::exists(path_.string() + "-wal"));
}

TEST(DefaultStorePath, IsChosenByTheEnvironment) {
  const auto with = [](const char* runs, const char* state, const char* home) {
    ::setenv("AUTOMODEL_RUNS", runs, 1);
    ::setenv("XDG_STATE_HOME", state, 1);
    ::setenv("HOME", home, 1);
    return default_store_path();
  };
  EXPECT_EQ(with("/data/r.db", "/state", "/home/u"), "/data/r.db");
  EXPECT_EQ(with("none", "/state", "/home/u"), std::nullopt);
  EXPECT_EQ(with("", "/state", "/home/u"), "/state/automodel/runs.db");
  EXPECT_EQ(with("", "relative", "/home/u"), "/home/u/.local/state/automodel/runs.db");
  EXPECT_EQ(with("", "", ""), std::nullopt);
}

}  // namespace
}  // namespace automodel::store
