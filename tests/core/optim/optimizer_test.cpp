#include "core/optim/optimizer.h"

#include <gtest/gtest.h>

#include <ATen/ops/ones.h>

namespace automodel::optim {
namespace {

config::OptimizerConfig stochastic() {
  config::OptimizerConfig config;
  config.lr = 1e-5;
  config.weight_decay = 0;
  config.bf16_stochastic_round = true;
  return config;
}

/// A unit of ones after ten steps down a constant slope.
at::Tensor after_ten_steps(const config::OptimizerConfig& config, uint64_t seed) {
  tensor::Unit::Options options;
  options.home_dtype = options.compute_dtype = at::kBFloat16;
  tensor::Unit unit("u", {{"w", {256, 256}}}, options);
  unit.home(0).fill_(1);
  Optimizer optimizer(config, {&unit}, seed);
  for (int step = 0; step < 10; ++step) {
    unit.begin_step();
    unit.grad(0).fill_(0.5);
    unit.mark_grad_written(0, 1);
    unit.finish_grads();
    optimizer.step(config.lr, 0, at::ones({}, at::kFloat));
  }
  return unit.home(0).clone();
}

TEST(Optimizer, StochasticRoundingIsRefusedWhereNothingIsRounded) {
  tensor::Unit unit("u", {{"w", {4}}}, {});
  try {
    Optimizer(stochastic(), {&unit});
    FAIL() << "float32 weights";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfig);
  }
}

TEST(Optimizer, StochasticRoundingKeepsSmallUpdatesAndRepeats) {
  config::OptimizerConfig nearest = stochastic();
  nearest.bf16_stochastic_round = false;
  EXPECT_EQ(after_ten_steps(nearest, 1).mean(at::kDouble).item<double>(), 1) << "each update rounds away";
  const at::Tensor first = after_ten_steps(stochastic(), 1);
  // Ten updates of 1e-5; the standard error of the mean is at most 2^-8 / 2 / 256 = 7.6e-6.
  EXPECT_NEAR(first.mean(at::kDouble).item<double>(), 1 - 1e-4, 3.1e-5);
  EXPECT_TRUE(first.equal(after_ten_steps(stochastic(), 1)));
  EXPECT_FALSE(first.equal(after_ten_steps(stochastic(), 2)));
}

}  // namespace
}  // namespace automodel::optim
