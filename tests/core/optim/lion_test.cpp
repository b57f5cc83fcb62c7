// Lion over a flat parameter, against the lines of lion_pytorch 0.2.5 (update_fn) with LibTorch's own
// operators.
#include <utility>
#include <vector>

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

/// lion_pytorch's update of one parameter, clipped as by torch, with every operation by itself in float32 and
/// its result rounded to the tensors' type: as torch computes on a GPU. On a CPU its add_ rounds `alpha` to
/// bfloat16 first.
void peer_update(const at::Tensor& p, const at::Tensor& grad_in, const at::Tensor& exp_avg) {
  const at::ScalarType type = p.scalar_type();
  const auto times = [&](const at::Tensor& x, double factor) {
    return x.to(at::kFloat).mul(factor).to(type);
  };
  const auto add = [&](const at::Tensor& x, const at::Tensor& y, double alpha) {
    return x.to(at::kFloat).add(y.to(at::kFloat).mul(alpha)).to(type);
  };
  const at::Tensor grad = times(grad_in, kClip);
  p.copy_(times(p, 1. - kLr * kDecay));
  const at::Tensor update = add(times(exp_avg, kBeta1), grad, 1. - kBeta1).sgn();
  p.copy_(add(p, update, -kLr));
  exp_avg.copy_(add(times(exp_avg, kBeta2), grad, 1. - kBeta2));
}

/// 20 steps of a flat parameter of two parameters beside the peer: weights and moments of both, in float64.
struct Outcome {
  std::vector<at::Tensor> ours, peers;
};

Outcome after_twenty_steps(at::ScalarType type, at::ScalarType grad_type) {
  tensor::FlatParameter::Options options;
  options.main_dtype = options.compute_dtype = type;
  options.grad_dtype = grad_type;
  tensor::FlatParameter unit("u", {{"w", {90, 50}}, {"norm", {70}}}, options);
  std::vector<at::Tensor> weights, moments;
  for (size_t i = 0; i < 2; ++i) {
    unit.main_weight(i).copy_(
        at::arange(unit.main_weight(i).numel()).view(unit.main_weight(i).sizes()).sin());
    weights.push_back(unit.main_weight(i).clone());
    moments.push_back(at::zeros_like(weights.back()));
  }
  Optimizer optimizer(lion(), {&unit});
  for (int64_t step = 0; step < 20; ++step) {
    unit.begin_step();
    for (size_t i = 0; i < 2; ++i) {
      const at::Tensor grad = unit.grad(i);
      grad.copy_(
          at::arange(grad.numel()).mul(step + 1).add(static_cast<int64_t>(i)).view(grad.sizes()).cos());
      peer_update(weights[i], grad.to(type), moments[i]);
    }
    unit.mark_grad_written(0, 2);
    unit.reduce_grads();
    optimizer.step(kLr, kDecay, at::full({}, kClip, at::kFloat));
  }
  const Optimizer::State& state = optimizer.state().at(0);
  EXPECT_EQ(optimizer.state().size(), 1);
  EXPECT_EQ(state.kind, "exp_avg");
  Outcome outcome;
  for (size_t i = 0; i < 2; ++i) {
    for (const at::Tensor& x : {unit.main_weight(i), state.range.view(state.values, i)})
      outcome.ours.push_back(x.to(at::kDouble));
    for (const at::Tensor& x : {weights[i], moments[i]}) outcome.peers.push_back(x.to(at::kDouble));
  }
  return outcome;
}

TEST(Lion, HasTheBitsOfLionPytorchsOperations) {
  for (const auto& [type, grad_type] : {std::pair{at::kFloat, at::kFloat},
                                        std::pair{at::kBFloat16, at::kFloat},
                                        std::pair{at::kBFloat16, at::kBFloat16}}) {
    const Outcome outcome = after_twenty_steps(type, grad_type);
    for (size_t i = 0; i < outcome.ours.size(); ++i)
      EXPECT_TRUE(outcome.ours[i].equal(outcome.peers[i]))
          << i << ", " << type << ", gradients in " << grad_type;
  }
}

}  // namespace
}  // namespace automodel::optim
