#include <gtest/gtest.h>

#include "core/nn/delta_net.h"
#include "core/nn/mamba2.h"
#include "tests/core/nn/mixer_check.h"

namespace automodel::nn {
namespace {

constexpr int64_t kD = 8;

/// Parameters drawn at random, handed out one after the other.
class Parameters {
 public:
  explicit Parameters(const std::vector<std::vector<int64_t>>& shapes) {
    std::vector<tensor::Parameter> parameters;
    for (const auto& shape : shapes) parameters.push_back({"p" + std::to_string(parameters.size()), shape});
    unit_ = ops::testing::random_unit(parameters, 3);
  }

  tensor::Weight next() { return {unit_.get(), next_++}; }

  ops::Linear linear() {
    const tensor::Weight weight = next();
    return {weight, {}, {unit_->parameters()[weight.first].shape[0]}};
  }

  tensor::FlatParameter* unit() const { return unit_.get(); }

 private:
  std::unique_ptr<tensor::FlatParameter> unit_;
  size_t next_ = 0;
};

TEST(Mamba2, EveryOrderOfGateAndNorm) {
  for (const kernels::GateOrder order :
       {kernels::GateOrder::kGateFirst, kernels::GateOrder::kNormFirst, kernels::GateOrder::kGateOnly}) {
    Mamba2 mamba2;
    arch::Mamba2Config& config = mamba2.config;
    config.num_heads = 4;
    config.head_dim = 3;
    config.num_groups = 2;
    config.state_size = 5;
    config.gate = order;
    config.part_multipliers = {0.7, 1.3, 0.9, 1.1, 0.8};
    const int64_t inner = config.inner_size(), conv = config.conv_size();
    std::vector<std::vector<int64_t>> shapes = {
        {kD}, {inner + conv + 4, kD}, {conv, 1, 4}, {conv}, {4}, {4}, {4}, {kD, inner}};
    if (order != kernels::GateOrder::kGateOnly) shapes.push_back({inner});
    Parameters parameters(shapes);
    mamba2.input_norm = {.weight = parameters.next()};
    mamba2.in_proj = parameters.linear();
    mamba2.conv.weight = parameters.next();
    mamba2.conv.bias = parameters.next();
    mamba2.space.a_log = parameters.next();
    mamba2.space.dt_bias = parameters.next();
    mamba2.space.d = parameters.next();
    mamba2.space.num_heads = 4;
    mamba2.space.head_dim = 3;
    mamba2.space.num_groups = 2;
    mamba2.space.state_size = 5;
    mamba2.space.dt_max = config.dt_max;
    mamba2.space.chunk = 4;
    mamba2.out_proj = parameters.linear();
    mamba2.norm.group = inner;
    mamba2.norm.order = order;
    if (order != kernels::GateOrder::kGateOnly) mamba2.norm.weight = parameters.next();
    testing::check_mixer(mamba2, kD, {parameters.unit()}, "order " + std::to_string(static_cast<int>(order)));
  }
}

TEST(DeltaNet, HeadsThatShareKeysAndThatDoNot) {
  for (const int64_t key_heads : {1, 2, 4}) {
    DeltaNet delta_net;
    arch::DeltaNetConfig& config = delta_net.config;
    config.num_key_heads = key_heads;
    config.num_value_heads = 4;
    config.key_head_dim = 5;
    config.value_head_dim = 3;
    const int64_t conv = config.conv_size(), values = config.value_size();
    Parameters parameters({{kD}, {conv + values + 8, kD}, {conv, 1, 4}, {4}, {4}, {3}, {kD, values}});
    delta_net.input_norm = {.weight = parameters.next()};
    delta_net.in_proj = parameters.linear();
    delta_net.conv.weight = parameters.next();
    delta_net.rule.a_log = parameters.next();
    delta_net.rule.dt_bias = parameters.next();
    delta_net.rule.num_key_heads = key_heads;
    delta_net.rule.num_value_heads = 4;
    delta_net.rule.key_head_dim = 5;
    delta_net.rule.value_head_dim = 3;
    delta_net.rule.chunk = 4;
    delta_net.norm = {
        .weight = parameters.next(), .eps = 1e-6, .group = 3, .order = kernels::GateOrder::kNormFirst};
    delta_net.out_proj = parameters.linear();
    testing::check_mixer(delta_net, kD, {parameters.unit()}, std::to_string(key_heads) + " key heads");
  }
}

}  // namespace
}  // namespace automodel::nn
