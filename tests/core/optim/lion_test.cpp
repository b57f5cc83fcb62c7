// Lion over units, against the lines of lion_pytorch 0.2.5 (update_fn) with LibTorch's own operators.
#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include "core/optim/optimizer.h"

namespace automodel::optim {
namespace {

constexpr double kLr = 0.01, kDecay = 0.1, kBeta1 = 0.9, kBeta2 = 0.99;
constexpr float kClip = 0.7f;

config::OptimizerConfig lion() {
  config::OptimizerConfig config;
  config.kind = config::OptimizerConfig::Kind::kLion;
  config.beta1 = kBeta1;
  config.beta2 = kBeta2;
  return config;
}

/// lion_pytorch's update of one parameter; clipping as torch does it, in place.
void peer_update(const at::Tensor& p, at::Tensor grad, const at::Tensor& exp_avg) {
  grad.mul_(kClip);
  p.mul_(1. - kLr * kDecay);
  const at::Tensor update = exp_avg.clone().mul_(kBeta1).add(grad, 1. - kBeta1).sgn_();
  p.add_(update, -kLr);
  exp_avg.mul_(kBeta2).add_(grad, 1. - kBeta2);
}

/// 20 steps of a unit of two parameters beside the peer: weights and moments of both, in float64.
struct Outcome {
  std::vector<at::Tensor> ours, peers;
};

Outcome after_twenty_steps(at::ScalarType type, at::ScalarType grad_type) {
  tensor::Unit::Options options;
  options.home_dtype = options.compute_dtype = type;
  options.grad_dtype = grad_type;
  tensor::Unit unit("u", {{"w", {90, 50}}, {"norm", {70}}}, options);
  std::vector<at::Tensor> weights, moments;
  for (size_t i = 0; i < 2; ++i) {
    unit.home(i).copy_(at::arange(unit.home(i).numel()).view(unit.home(i).sizes()).sin());
    weights.push_back(unit.home(i).clone());
    moments.push_back(at::zeros_like(weights.back()));
  }
  Optimizer optimizer(lion(), {&unit});
  for (int64_t step = 0; step < 20; ++step) {
    unit.begin_step();
    for (size_t i = 0; i < 2; ++i) {
      const at::Tensor grad = unit.grad(i);
      grad.copy_(
          at::arange(grad.numel()).mul(step + 1).add(static_cast<int64_t>(i)).view(grad.sizes()).cos());
      peer_update(weights[i], grad.to(type, /*non_blocking=*/false, /*copy=*/true), moments[i]);
    }
    unit.mark_grad_written(0, 2);
    unit.finish_grads();
    optimizer.step(kLr, kDecay, at::full({}, kClip, at::kFloat));
  }
  const Optimizer::State& state = optimizer.state().at(0);
  EXPECT_EQ(optimizer.state().size(), 1);
  EXPECT_EQ(state.kind, "exp_avg");
  Outcome outcome;
  for (size_t i = 0; i < 2; ++i) {
    for (const at::Tensor& x : {unit.home(i), state.range.view(state.values, i)})
      outcome.ours.push_back(x.to(at::kDouble));
    for (const at::Tensor& x : {weights[i], moments[i]}) outcome.peers.push_back(x.to(at::kDouble));
  }
  return outcome;
}

TEST(Lion, UpdatesAsLionPytorchDoes) {
  const Outcome outcome = after_twenty_steps(at::kFloat, at::kFloat);
  for (size_t i = 0; i < outcome.ours.size(); ++i) {
    const double error = (outcome.ours[i] - outcome.peers[i]).abs().max().item<double>();
    EXPECT_LT(error, 1e-6) << i << ": LibTorch contracts a product and a sum";
  }
}

TEST(Lion, InBfloat16ItHasLionPytorchsBits) {
  for (const at::ScalarType grad_type : {at::kFloat, at::kBFloat16}) {
    const Outcome outcome = after_twenty_steps(at::kBFloat16, grad_type);
    for (size_t i = 0; i < outcome.ours.size(); ++i)
      EXPECT_TRUE(outcome.ours[i].equal(outcome.peers[i])) << i << ", gradients in " << grad_type;
  }
}

}  // namespace
}  // namespace automodel::optim
