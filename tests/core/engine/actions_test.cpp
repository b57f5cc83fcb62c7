#include "core/engine/actions.h"

#include <gtest/gtest.h>

namespace automodel::engine {
namespace {

std::vector<std::string> names(const Schedule& schedule) {
  std::vector<std::string> listed;
  for (const Action& action : plan_actions(schedule)) listed.push_back(to_string(action));
  return listed;
}

TEST(Actions, OneDeviceRunsForwardThenBackwardAndReducesInTheLastMicroBatch) {
  const Schedule schedule{{{0}, {1}}, 2};
  const std::vector<std::string> expected = {
      "gather 0@0", "F0@0",       "release 0@0", "gather 1@0",  "F1@0",       "release 1@0",  //
      "gather 1@0", "B1@0",       "release 1@0", "gather 0@0",  "B0@0",       "release 0@0",  //
      "gather 0@1", "F0@1",       "release 0@1", "gather 1@1",  "F1@1",       "release 1@1",  //
      "gather 1@1", "B1@1",       "reduce 1@1",  "release 1@1", "gather 0@1", "B0@1",
      "reduce 0@1", "release 0@1"};
  EXPECT_EQ(names(schedule), expected);
}

TEST(Actions, TiedUnitIsGatheredAtFirstUseAndReducedAfterItsLastUserInBackwardOrder) {
  const Schedule schedule{{{0}, {1}, {2, 0}}, 1};
  const std::vector<std::string> expected = {
      "gather 0@0",  "F0@0",        "gather 1@0", "F1@0",        "release 1@0", "gather 2@0", "F2@0",
      "release 2@0", "release 0@0", "gather 2@0", "gather 0@0",  "B2@0",        "reduce 2@0", "release 2@0",
      "gather 1@0",  "B1@0",        "reduce 1@0", "release 1@0", "B0@0",        "reduce 0@0", "release 0@0"};
  EXPECT_EQ(names(schedule), expected);
}

TEST(Actions, EvaluationHasNoBackwardAndNothingToReduce) {
  const Schedule schedule{{{0}}, 1, /*train=*/false};
  EXPECT_EQ(names(schedule), (std::vector<std::string>{"gather 0@0", "F0@0", "release 0@0"}));
}

TEST(Actions, DeferredWeightGradientsFollowTheirBackwardButThoseOfTheHeadAreFormedAtOnce) {
  const Schedule schedule{{{0}, {1}}, 1, true, /*defer_weight_grads=*/true};
  EXPECT_EQ(names(schedule),
            (std::vector<std::string>{"gather 0@0",
                                      "F0@0",
                                      "release 0@0",
                                      "gather 1@0",
                                      "F1@0",
                                      "release 1@0",
                                      "gather 1@0",
                                      "B1@0",
                                      "reduce 1@0",
                                      "release 1@0",  //
                                      "gather 0@0",
                                      "B0@0",
                                      "W0@0",
                                      "reduce 0@0",
                                      "release 0@0"}));
}

/// Without gathers, reduces and releases.
std::vector<std::string> work_of(const Schedule& schedule) {
  std::vector<std::string> listed;
  for (const Action& action : plan_actions(schedule)) {
    if (action.unit < 0) listed.push_back(to_string(action));
  }
  return listed;
}

TEST(Actions, StagesOfAPipelineRunOneForwardAndOneBackwardInTurn) {
  const Schedule first{.units_of_segment = {{0}, {1}}, .num_micro_batches = 3, .stage = 0, .num_stages = 2};
  EXPECT_EQ(work_of(first),
            (std::vector<std::string>{"F0@0",
                                      "F1@0",
                                      "send 1@0 to 1",  //
                                      "F0@1",
                                      "F1@1",
                                      "send 1@1 to 1",  //
                                      "receive grads 1@0 from 1",
                                      "B1@0",
                                      "B0@0",  //
                                      "F0@2",
                                      "F1@2",
                                      "send 1@2 to 1",  //
                                      "receive grads 1@1 from 1",
                                      "B1@1",
                                      "B0@1",  //
                                      "receive grads 1@2 from 1",
                                      "B1@2",
                                      "B0@2"}));
  const Schedule last{.units_of_segment = {{0}}, .num_micro_batches = 2, .stage = 1, .num_stages = 2};
  EXPECT_EQ(work_of(last),
            (std::vector<std::string>{"receive 0@0 from 0",
                                      "F0@0",
                                      "B0@0",
                                      "send grads 0@0 to 0",  //
                                      "receive 0@1 from 0",
                                      "F0@1",
                                      "B0@1",
                                      "send grads 0@1 to 0"}));
}

TEST(Actions, EveryStageSendsWhatTheNextOneReceives) {
  for (const int stages : {2, 3, 5}) {
    for (const int micro_batches : {1, 2, 7}) {
      std::vector<std::vector<Action>> lists;
      for (int stage = 0; stage < stages; ++stage)
        lists.push_back(plan_actions({.units_of_segment = {{0}},
                                      .num_micro_batches = micro_batches,
                                      .stage = stage,
                                      .num_stages = stages}));
      const auto orders = [&](int stage, ActionKind kind) {
        std::vector<int> order;
        for (const Action& action : lists[static_cast<size_t>(stage)]) {
          if (action.kind == kind) order.push_back(action.micro_batch);
        }
        return order;
      };
      for (int stage = 0; stage + 1 < stages; ++stage) {
        EXPECT_EQ(orders(stage, ActionKind::kSend), orders(stage + 1, ActionKind::kReceive));
        EXPECT_EQ(orders(stage + 1, ActionKind::kSendGrads), orders(stage, ActionKind::kReceiveGrads));
        EXPECT_EQ(orders(stage, ActionKind::kSend).size(), static_cast<size_t>(micro_batches));
      }
    }
  }
}

TEST(Actions, WeightsBeginToBeGatheredTheNamedNumberOfSegmentsAhead) {
  const Schedule schedule{.units_of_segment = {{0}, {1}, {2}, {0}}, .train = false, .prefetch_depth = 2};
  EXPECT_EQ(names(schedule),
            (std::vector<std::string>{"gather 0@0",
                                      "prefetch 1@0",
                                      "prefetch 2@0",
                                      "F0@0",  //
                                      "gather 1@0",
                                      "F1@0",
                                      "release 1@0",  //
                                      "gather 2@0",
                                      "F2@0",
                                      "release 2@0",  //
                                      "F3@0",
                                      "release 0@0"}));
}

}  // namespace
}  // namespace automodel::engine
