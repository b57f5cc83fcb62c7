#include "core/optim/lr_schedule.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::optim {
namespace {

config::OptimizerConfig optimizer(double lr) {
  config::OptimizerConfig config;
  config.lr = lr;
  return config;
}

TEST(LrSchedule, WithoutASectionIsConstant) {
  const LrSchedule schedule(std::nullopt, optimizer(3e-4), 100);
  EXPECT_EQ(schedule.lr(0), 3e-4);
  EXPECT_EQ(schedule.lr(99), 3e-4);
  EXPECT_EQ(schedule.weight_decay(50), 0.01);
}

TEST(LrSchedule, DefaultsWarmUpOverATenthFromATenthAndEndAtAHundredth) {
  const LrSchedule schedule(config::LrSchedulerConfig(), optimizer(1e-3), 200);
  EXPECT_DOUBLE_EQ(schedule.lr(0), 1e-4);
  EXPECT_DOUBLE_EQ(schedule.lr(10), 1e-4 + 9e-4 * 0.5);
  EXPECT_DOUBLE_EQ(schedule.lr(20), 1e-3);
  EXPECT_DOUBLE_EQ(schedule.lr(110), 1e-5 + 0.5 * (1e-3 - 1e-5));
  EXPECT_DOUBLE_EQ(schedule.lr(200), 1e-5);
  EXPECT_DOUBLE_EQ(schedule.lr(1000), 1e-5);
}

TEST(LrSchedule, StylesMeetTheirFormulae) {
  config::LrSchedulerConfig section;
  section.lr_warmup_steps = 4;
  section.min_lr = 0.0;
  section.lr_decay_style = "linear";
  EXPECT_DOUBLE_EQ(LrSchedule(section, optimizer(1), 24).lr(14), 0.5);
  section.lr_decay_style = "constant";
  EXPECT_DOUBLE_EQ(LrSchedule(section, optimizer(1), 24).lr(24), 1);
  section.lr_decay_style = "inverse-square-root";
  EXPECT_DOUBLE_EQ(LrSchedule(section, optimizer(1), 24).lr(16), 0.5);
  section.lr_decay_style = "WSD";
  section.wsd_decay_steps = 10;
  EXPECT_DOUBLE_EQ(LrSchedule(section, optimizer(1), 24).lr(14), 1);
  EXPECT_NEAR(LrSchedule(section, optimizer(1), 24).lr(24), 0, 1e-15);
  section.lr_wsd_decay_style = "minus_sqrt";
  EXPECT_DOUBLE_EQ(LrSchedule(section, optimizer(1), 24).lr(19), 1 - std::sqrt(0.5));
}

TEST(LrSchedule, ARunShorterThanItsWarmUpOnlyWarmsUp) {
  config::LrSchedulerConfig section;
  section.lr_warmup_steps = 8;
  EXPECT_DOUBLE_EQ(LrSchedule(section, optimizer(1), 2).lr(2), 0.1 + 0.9 * 2 / 8);
}

TEST(LrSchedule, WeightDecayRamps) {
  config::LrSchedulerConfig section;
  section.start_wd = 0.0;
  section.end_wd = 0.1;
  section.wd_incr_style = "linear";
  const LrSchedule schedule(section, optimizer(1), 100);
  EXPECT_DOUBLE_EQ(schedule.weight_decay(25), 0.025);
  EXPECT_DOUBLE_EQ(schedule.weight_decay(101), 0.1);
}

TEST(LrSchedule, ContradictionsAreRefused) {
  config::LrSchedulerConfig section;
  section.lr_decay_style = "cosinus";
  section.lr_warmup_steps = 0;
  EXPECT_THROW(LrSchedule(section, optimizer(1), 10), Error);
  section = {};
  section.min_lr = 2.0;
  EXPECT_THROW(LrSchedule(section, optimizer(1), 10), Error);
  section = {};
  section.lr_warmup_steps = 10;
  section.lr_decay_steps = 10;
  EXPECT_THROW(LrSchedule(section, optimizer(1), 10), Error);
}

TEST(LrSchedule, AResumedRunTakesTheCheckpointsUnlessToldOtherwise) {
  config::LrSchedulerConfig section;
  section.lr_decay_style = "linear";
  section.lr_warmup_steps = 0;
  section.min_lr = 0.0;
  const LrSchedule stored(section, optimizer(1e-2), 10);
  const LrSchedule recipes(section, optimizer(1e-3), 20);
  EXPECT_DOUBLE_EQ(resumed_schedule(section, recipes, stored.values()).lr(5), 5e-3);
  section.use_checkpoint_opt_param_scheduler = true;
  EXPECT_DOUBLE_EQ(resumed_schedule(section, recipes, stored.values()).lr(5), 5e-3);
  section.use_checkpoint_opt_param_scheduler = false;
  EXPECT_THROW(resumed_schedule(section, recipes, stored.values()), Error);
  EXPECT_DOUBLE_EQ(resumed_schedule(section, stored, stored.values()).lr(5), 5e-3);
  section.override_opt_param_scheduler = true;
  EXPECT_DOUBLE_EQ(resumed_schedule(section, recipes, stored.values()).lr(5), 7.5e-4);
}

}  // namespace
}  // namespace automodel::optim
