#include "core/engine/graphed_executor.h"

#include <gtest/gtest.h>

namespace automodel::engine {
namespace {

TEST(GraphedExecutor, ListsOfOneStageCanBeCaptured) {
  for (const int micro_batches : {1, 3}) {
    const Schedule schedule{.units_of_segment = {{0}, {1}, {2, 0}}, .num_micro_batches = micro_batches};
    EXPECT_TRUE(is_graphable(plan_actions(schedule), 3));
    EXPECT_FALSE(is_graphable(plan_actions(schedule), 2)) << "segments that the executor does not have";
  }
}

TEST(GraphedExecutor, ListsWhoseOrderAReplayWouldChangeAreRunAsTheyAre) {
  const Schedule plain{.units_of_segment = {{0}, {1}}, .num_micro_batches = 2};
  Schedule deferred = plain, pipeline = plain, prefetched = plain, evaluation = plain;
  deferred.defer_weight_grads = true;
  pipeline.num_stages = 2;
  prefetched.prefetch_depth = 1;
  evaluation.train = false;
  for (const Schedule& schedule : {deferred, pipeline, prefetched, evaluation})
    EXPECT_FALSE(is_graphable(plan_actions(schedule), 2));

  // Two micro-batches interleaved, and a backward before the last forward.
  using Kind = ActionKind;
  EXPECT_FALSE(is_graphable(
      std::vector<Action>{
          {Kind::kForward, 0, 0}, {Kind::kForward, 1, 0}, {Kind::kBackward, 0, 0}, {Kind::kBackward, 1, 0}},
      1));
  EXPECT_FALSE(is_graphable(
      std::vector<Action>{
          {Kind::kForward, 0, 0}, {Kind::kBackward, 0, 0}, {Kind::kForward, 0, 1}, {Kind::kBackward, 0, 1}},
      2));
}

}  // namespace
}  // namespace automodel::engine
