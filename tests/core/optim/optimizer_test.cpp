#include "core/optim/optimizer.h"

#include <memory>
#include <string>
#include <vector>

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
  tensor::FlatParameter::Options options;
  options.main_dtype = options.compute_dtype = at::kBFloat16;
  tensor::FlatParameter unit("u", {{"w", {256, 256}}}, options);
  unit.main_weight(0).fill_(1);
  Optimizer optimizer(config, {&unit}, seed);
  for (int step = 0; step < 10; ++step) {
    unit.begin_step();
    unit.grad(0).fill_(0.5);
    unit.mark_grad_written(0, 1);
    unit.reduce_grads();
    optimizer.step(config.lr, 0, at::ones({}, at::kFloat));
  }
  return unit.main_weight(0).clone();
}

TEST(Optimizer, StochasticRoundingIsRefusedWhereNothingIsRounded) {
  tensor::FlatParameter unit("u", {{"w", {4}}}, {});
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

/// Two parameters after three steps, in one unit or in one each, in either order.
std::vector<at::Tensor> after_three_steps(const std::vector<std::vector<std::string>>& layout) {
  tensor::FlatParameter::Options options;
  options.main_dtype = options.compute_dtype = at::kBFloat16;
  std::vector<std::unique_ptr<tensor::FlatParameter>> units;
  std::vector<tensor::FlatParameter*> pointers;
  for (const std::vector<std::string>& names : layout) {
    std::vector<tensor::Parameter> parameters;
    for (const std::string& name : names) parameters.push_back({name, {name == "a" ? 300 : 70, 5}});
    units.push_back(std::make_unique<tensor::FlatParameter>("u", parameters, options));
    for (size_t i = 0; i < names.size(); ++i) units.back()->main_weight(i).fill_(1);
    pointers.push_back(units.back().get());
  }
  Optimizer optimizer(stochastic(), pointers, 3);
  for (int step = 0; step < 3; ++step) {
    for (tensor::FlatParameter* unit : pointers) {
      unit->begin_step();
      for (size_t i = 0; i < unit->parameters().size(); ++i) unit->grad(i).fill_(0.5);
      unit->mark_grad_written(0, unit->parameters().size());
      unit->reduce_grads();
    }
    optimizer.step(1e-3, 0, at::ones({}, at::kFloat));
  }
  std::vector<at::Tensor> values;
  for (const std::string name : {"a", "b"}) {
    for (const tensor::FlatParameter* unit : pointers) {
      for (size_t i = 0; i < unit->parameters().size(); ++i) {
        if (unit->parameters()[i].name == name) values.push_back(unit->main_weight(i).clone());
      }
    }
  }
  return values;
}

TEST(Optimizer, StochasticRoundingDoesNotDependOnHowParametersLieInUnits) {
  const std::vector<at::Tensor> one = after_three_steps({{"a", "b"}});
  for (const auto& layout :
       {std::vector<std::vector<std::string>>{{"b", "a"}}, {{"a"}, {"b"}}, {{"b"}, {"a"}}}) {
    const std::vector<at::Tensor> other = after_three_steps(layout);
    for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(one[i].equal(other[i])) << (i == 0 ? "a" : "b");
  }
  EXPECT_FALSE(one[0].narrow(0, 0, 70).equal(one[1])) << "parameters have draws of their own";
}

}  // namespace
}  // namespace automodel::optim
