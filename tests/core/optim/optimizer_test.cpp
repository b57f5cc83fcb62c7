#include "core/optim/optimizer.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
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

/// Two units of three parameters each; gradients differ by element and step.
struct Parameters {
  std::vector<std::unique_ptr<tensor::FlatParameter>> owned;
  std::vector<tensor::FlatParameter*> units;

  explicit Parameters(at::ScalarType type = at::kFloat) {
    tensor::FlatParameter::Options options;
    options.main_dtype = options.compute_dtype = type;
    for (const std::string name : {"a", "b"}) {
      owned.push_back(std::make_unique<tensor::FlatParameter>(
          name,
          std::vector<tensor::Parameter>{
              {name + ".matrix", {30, 20}}, {name + ".norm", {20}}, {name + ".last", {7, 5}}},
          options));
      units.push_back(owned.back().get());
      for (size_t i = 0; i < 3; ++i) {
        const at::Tensor home = units.back()->main_weight(i);
        home.copy_(at::arange(home.numel()).view(home.sizes()).sin());
      }
    }
  }

  void set_gradients(int64_t step) {
    for (tensor::FlatParameter* unit : units) {
      unit->begin_step();
      for (size_t i = 0; i < 3; ++i) {
        const at::Tensor grad = unit->grad(i);
        grad.copy_(
            at::arange(grad.numel()).add(17 * step + static_cast<int64_t>(i)).view(grad.sizes()).cos());
      }
      unit->mark_grad_written(0, 3);
      unit->reduce_grads();
    }
  }

  void train(Optimizer& optimizer, int64_t first, int64_t count) {
    for (int64_t step = first; step < first + count; ++step) {
      set_gradients(step);
      optimizer.step(0.01, 0.1, at::full({}, 0.7, at::kFloat));
    }
  }
};

config::OptimizerConfig of_kind(config::OptimizerConfig::Kind kind) {
  config::OptimizerConfig config;
  config.kind = kind;
  config.momentum = 0.9;
  return config;
}

TEST(Optimizer, GroupsUpdateTheirParametersAsIfAlone) {
  using Kind = config::OptimizerConfig::Kind;
  const std::vector<ParamGroup> groups = {{of_kind(Kind::kAdamW)},
                                          {of_kind(Kind::kAdamW), /*lr_scale=*/0.1, /*weight_decay_scale=*/0},
                                          {of_kind(Kind::kSgd)}};
  const auto group_of = [](const tensor::Parameter& parameter) {
    return parameter.name.ends_with("norm") ? size_t{1} : parameter.name == "b.last" ? size_t{2} : size_t{0};
  };
  Parameters mixed;
  Optimizer optimizer(groups, group_of, mixed.units);
  mixed.train(optimizer, 0, 3);
  for (size_t group = 0; group < groups.size(); ++group) {
    Parameters alone;
    Optimizer other({groups[group]}, [](const tensor::Parameter&) { return 0; }, alone.units);
    alone.train(other, 0, 3);
    for (size_t unit = 0; unit < 2; ++unit) {
      for (size_t i = 0; i < 3; ++i) {
        const tensor::Parameter& parameter = mixed.units[unit]->parameters()[i];
        EXPECT_EQ(mixed.units[unit]->main_weight(i).equal(alone.units[unit]->main_weight(i)),
                  group_of(parameter) == group)
            << parameter.name << " in group " << group;
      }
    }
  }
}

TEST(Optimizer, GradientsInBfloat16AreTakenWhereTheAlgorithmRoundsThem) {
  using Kind = config::OptimizerConfig::Kind;
  for (const auto& [kind, takes] : {std::pair{Kind::kAdamW, true}, std::pair{Kind::kSgd, false}}) {
    Parameters wide(at::kBFloat16), narrow(at::kBFloat16);
    for (tensor::FlatParameter* unit : narrow.units) unit->set_grad_dtype(at::kBFloat16);
    Optimizer of_wide(of_kind(kind), wide.units), of_narrow(of_kind(kind), narrow.units);
    wide.train(of_wide, 0, 2);
    if (!takes) {
      EXPECT_THROW(narrow.train(of_narrow, 0, 2), Error);
      continue;
    }
    narrow.train(of_narrow, 0, 2);
    EXPECT_TRUE(wide.units[0]->main_weights().equal(narrow.units[0]->main_weights()));
  }
}

}  // namespace
}  // namespace automodel::optim
