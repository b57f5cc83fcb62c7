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

TEST(Actions, DeferredWeightGradientsFollowTheirBackward) {
  const Schedule schedule{{{0}}, 1, true, /*defer_weight_grads=*/true};
  EXPECT_EQ(
      names(schedule),
      (std::vector<std::string>{
          "gather 0@0", "F0@0", "release 0@0", "gather 0@0", "B0@0", "W0@0", "reduce 0@0", "release 0@0"}));
}

}  // namespace
}  // namespace automodel::engine
