#include "core/train/progress.h"

#include <gtest/gtest.h>

namespace automodel::train {
namespace {

TEST(Progress, DurationsHaveTheTwoUnitsThatMatter) {
  EXPECT_EQ(duration_text(0.2), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min 0 s");
  EXPECT_EQ(duration_text(83), "1 min 23 s");
  EXPECT_EQ(duration_text(2 * 3600 + 5 * 60 + 59), "2 h 5 min");
  EXPECT_EQ(duration_text(3 * 86400 + 4 * 3600), "3 d 4 h");
}

TEST(Progress, CountsFromOneAndNothingIsLeftAtTheEnd) {
  Progress progress(/*steps_done=*/18, /*total_steps=*/20);
  EXPECT_TRUE(progress.after(18, 0.531).starts_with("step 19 of 20, 0.531 s a step, "));
  EXPECT_TRUE(progress.after(19, 12.34).starts_with("step 20 of 20, 12.3 s a step, 0 s left"));
}

}  // namespace
}  // namespace automodel::train
