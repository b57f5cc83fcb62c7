#include "core/store/run_diff.h"

#include <nlohmann/json.hpp>

#include "tests/core/store/scratch_store.h"

namespace automodel::store {
namespace {

class RunDiffTest : public ScratchStore {};

Metric at_step(int64_t step, double loss) {
  Metric metric;
  metric.step = step;
  metric.loss = loss;
  return metric;
}

TEST_F(RunDiffTest, NamesChangedKeysAndTheStepWhereLossesPart) {
  RunStore store(path_);
  const store::Run a =
      add(store, "a", R"({"optimizer": {"lr": 1e-5, "eps": 1e-8}, "list": [1, 2], "only_a": 1})");
  const store::Run b =
      add(store, "b", R"({"optimizer": {"eps": 1e-8, "lr": 2e-5}, "list": [1, 3], "only": {"b": true}})");
  store.add_metrics(a.seq, {at_step(0, 3), at_step(1, 2), at_step(2, 1.5), at_step(3, 1)});
  store.add_metrics(b.seq, {at_step(1, 2), at_step(2, 1.5000000000000002), at_step(3, 1)});
  const RunDiff diff = compare_runs(store, a, b);
  std::vector<std::string> keys;
  for (const ChangedKey& change : diff.recipe) keys.push_back(change.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"optimizer.lr", "list", "only_a", "only.b"}));
  EXPECT_EQ(diff.recipe[1].b, "[1,3]");
  EXPECT_EQ(diff.recipe[3].a, std::nullopt);
  ASSERT_EQ(diff.losses.size(), 1U);
  EXPECT_EQ(diff.losses[0].num_common, 3);
  EXPECT_EQ(diff.losses[0].part_at, 2);
}

TEST_F(RunDiffTest, OfARunWithItselfIsEmpty) {
  RunStore store(path_);
  const store::Run run = add(store, "a", R"({"x": {}})");
  store.add_metrics(run.seq, {at_step(0, 3)});
  const RunDiff diff = compare_runs(store, run, run);
  EXPECT_TRUE(diff.recipe.empty() && diff.facts.empty());
  EXPECT_EQ(diff.losses[0].part_at, std::nullopt);
}

}  // namespace
}  // namespace automodel::store
