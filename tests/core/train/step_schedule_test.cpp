#include "core/train/step_schedule.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::train {
namespace {

config::StepSchedulerConfig config_of(int64_t global, int64_t local) {
  config::StepSchedulerConfig config;
  config.global_batch_size = global;
  config.local_batch_size = local;
  return config;
}

TEST(StepSchedule, AShortLastGroupOfAnEpochCountsAsAStep) {
  auto config = config_of(8, 4);
  config.num_epochs = 3;
  const StepSchedule schedule(config, 7, 1);
  EXPECT_EQ(schedule.grad_accum_steps(), 2);
  EXPECT_EQ(schedule.steps_per_epoch(), 4);
  EXPECT_EQ(schedule.total_steps(), 12);
}

TEST(StepSchedule, MaxStepsEndsTheRunEarlyAndNullEpochsMeansEnough) {
  auto config = config_of(4, 4);
  config.max_steps = 25;
  config.num_epochs = 2;
  EXPECT_EQ(StepSchedule(config, 10, 1).total_steps(), 20);
  config.num_epochs = std::nullopt;
  EXPECT_EQ(StepSchedule(config, 10, 1).num_epochs(), 3);
  EXPECT_EQ(StepSchedule(config, 10, 1).total_steps(), 25);
}

TEST(StepSchedule, SavesWhenDueAtEpochEndsAndAtTheEnd) {
  auto config = config_of(4, 4);
  config.ckpt_every_steps = 6;
  config.val_every_steps = 5;
  config.num_epochs = 3;
  const StepSchedule schedule(config, 4, 1);
  EXPECT_TRUE(schedule.saves_after(5, false));
  EXPECT_FALSE(schedule.saves_after(6, false));
  EXPECT_TRUE(schedule.saves_after(3, true));
  EXPECT_TRUE(schedule.saves_after(11, false));
  EXPECT_TRUE(schedule.validates_after(4, false));
  EXPECT_TRUE(schedule.validates_after(5, false)) << "every checkpoint brings a validation";
  config.save_checkpoint_every_epoch = false;
  EXPECT_FALSE(StepSchedule(config, 4, 1).saves_after(3, true));
}

TEST(StepSchedule, DataParallelRanksShareTheGlobalBatch) {
  EXPECT_EQ(StepSchedule(config_of(16, 4), 10, 2).grad_accum_steps(), 2);
  EXPECT_THROW(StepSchedule(config_of(8, 4), 10, 3), Error);
}

TEST(StepSchedule, ContradictionsAreRefused) {
  EXPECT_THROW(StepSchedule(config_of(9, 4), 10, 1), Error);
  EXPECT_THROW(StepSchedule(config_of(4, 4), std::nullopt, 1), Error);
  EXPECT_THROW(StepSchedule(config_of(4, 4), 0, 1), Error);
}

TEST(StepSchedule, AResumedRunEndsWithItsLastEpochWhateverTheBatchWas) {
  auto config = config_of(4, 2);
  config.num_epochs = 3;
  StepSchedule schedule(config, 10, 1);  // 5 steps an epoch
  schedule.resume(/*steps_done=*/3, /*epoch=*/0, /*micro_batches_left=*/4);
  EXPECT_EQ(schedule.total_steps(), 15);
  schedule.resume(
      /*steps_done=*/14, /*epoch=*/1, /*micro_batches_left=*/3);  // half as many rows a step before
  EXPECT_EQ(schedule.total_steps(), 14 + 2 + 5);
  schedule.resume(/*steps_done=*/20, /*epoch=*/2, /*micro_batches_left=*/0);
  EXPECT_EQ(schedule.total_steps(), 20);
  schedule.resume(/*steps_done=*/7, /*epoch=*/9, /*micro_batches_left=*/10);  // fewer epochs than before
  EXPECT_EQ(schedule.total_steps(), 7);
  config.max_steps = 12;
  StepSchedule limited(config, 10, 1);
  limited.resume(/*steps_done=*/2, /*epoch=*/0, /*micro_batches_left=*/8);
  EXPECT_EQ(limited.total_steps(), 12);
}

}  // namespace
}  // namespace automodel::train
