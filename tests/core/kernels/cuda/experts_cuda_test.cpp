// Experts and routers on the GPU against the CPU in f32.
#include <ATen/ops/arange.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/ops/cuda/cuda.h"
#include "core/ops/moe/experts.h"
#include "core/ops/moe/route.h"
#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::random_tensor;
using testing::random_unit;

constexpr int64_t kTokens = 200, kHidden = 64, kFfn = 48, kExperts = 5;

struct Outcome {
  at::Tensor y, dx;
  std::vector<at::Tensor> dweights;
};

/// Weights of the experts come from x, so that their gradient is seen too; experts 0 and 4 have no tokens.
Outcome run(at::Device device, at::ScalarType dtype, const kernels::ExpertGlu& gate, int64_t ffn = kFfn) {
  tensor::FlatParameter::Options options;
  options.device = device;
  options.main_dtype = options.compute_dtype = dtype;
  const auto unit = random_unit({{"gate_up", {kExperts, gate.parts() * ffn, kHidden}},
                                 {"down", {kExperts, kHidden, ffn}},
                                 {"gate_up_bias", {kExperts, gate.parts() * ffn}},
                                 {"down_bias", {kExperts, kHidden}},
                                 {"mix", {2, kHidden}}},
                                3,
                                options);
  for (size_t i = 0; i < 2; ++i) unit->main_weight(i).mul_(0.2);
  unit->main_changed();
  unit->gather();
  Experts layer{{unit.get(), 0}, {unit.get(), 1}, {unit.get(), 2}, {unit.get(), 3}};
  layer.gate = gate;
  const at::Tensor first = at::arange(kTokens, at::kLong).remainder(2) + 1;
  const at::Tensor choice = at::stack({first, first + 1}, 1).to(device);
  GradSink sink;
  const OpContext context{&sink};
  at::Tensor leaf = random_tensor({kTokens, kHidden}, 4).to(device, dtype).detach().requires_grad_();
  const at::Tensor weights = at::sigmoid(linear(leaf, {{unit.get(), 4}, {}, {2}}, context).to(at::kFloat));
  const at::Tensor y = experts(leaf, weights, make_groups(choice, kExperts), layer, context);
  torch::autograd::backward({y}, {random_tensor(y.sizes(), 5).to(device, dtype)});
  Outcome outcome{y.detach().to(at::kCPU, at::kFloat), leaf.grad().to(at::kCPU, at::kFloat), {}};
  for (size_t i = 0; i < unit->parameters().size(); ++i) outcome.dweights.push_back(unit->grad(i).cpu());
  return outcome;
}

void expect_close(const at::Tensor& got, const at::Tensor& expected, double bound, const std::string& what) {
  EXPECT_LE((got - expected).norm().item<double>(), bound * expected.norm().item<double>()) << what;
}

TEST(ExpertsOnGpu, EqualTheCpu) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  cuda();
  for (const auto& [dtype, bound] : {std::pair{at::kFloat, 2e-5}, std::pair{at::kBFloat16, 2e-2}}) {
    // In bf16 a value beside the limit may fall on its other side: no value is near it there.
    const double limit = dtype == at::kFloat ? 2.0 : 100.0;
    for (const kernels::ExpertGlu& gate :
         {kernels::ExpertGlu{},
          kernels::ExpertGlu{.limit = limit},
          kernels::ExpertGlu{.activation = kernels::Activation::kRelu2, .gated = false}}) {
      const Outcome expected = run(at::kCPU, at::kFloat, gate);
      const Outcome got = run(at::Device(at::kCUDA, 0), dtype, gate);
      expect_close(got.y, expected.y, bound, "y");
      expect_close(got.dx, expected.dx, bound, "dx");
      for (size_t i = 0; i < expected.dweights.size(); ++i) {
        expect_close(got.dweights[i], expected.dweights[i], bound, "weight " + std::to_string(i));
        if (i < 4) {
          EXPECT_EQ(got.dweights[i][0].abs().max().item<double>(), 0) << i;
          EXPECT_EQ(got.dweights[i][4].abs().max().item<double>(), 0) << i;
        }
      }
    }
  }
}

TEST(ExpertsOnGpu, RowsThatOneProductCannotReadAreMultipliedExpertByExpert) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  cuda();
  const Outcome expected = run(at::kCPU, at::kFloat, {}, 20);
  const Outcome got = run(at::Device(at::kCUDA, 0), at::kBFloat16, {}, 20);
  expect_close(got.y, expected.y, 2e-2, "y");
  expect_close(got.dx, expected.dx, 2e-2, "dx");
  for (size_t i = 0; i < expected.dweights.size(); ++i)
    expect_close(got.dweights[i], expected.dweights[i], 2e-2, "weight " + std::to_string(i));
}

TEST(ExpertsOnGpu, WithoutWaitingForTheDevice) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  run(at::Device(at::kCUDA, 0), at::kBFloat16, {});
  tensor::FlatParameter::Options options;
  options.device = at::Device(at::kCUDA, 0);
  options.main_dtype = options.compute_dtype = at::kBFloat16;
  const auto unit = random_unit({{"gate_up", {8, 64, 32}}, {"down", {8, 32, 32}}}, 3, options);
  const Experts layer{{unit.get(), 0}, {unit.get(), 1}};
  kernels::RouterConfig config;
  config.num_experts = 8;
  config.top_k = 2;
  const at::Tensor x = random_tensor({64, 32}, 4).to(options.device, at::kBFloat16).detach().requires_grad_();
  const at::Tensor logits = random_tensor({64, 8}, 5).to(options.device, at::kFloat);
  GradSink sink;
  cuda().forbid_synchronisation(true);
  const Routing routing = route(logits, {}, config);
  const at::Tensor y = experts(x, routing.weights, make_groups(routing.experts, 8), layer, {&sink});
  torch::autograd::backward({y.sum()});
  cuda().forbid_synchronisation(false);
}

TEST(RouteOnGpu, EqualsTheCpu) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  cuda();
  for (const auto score : {kernels::RouterScore::kSoftmax,
                           kernels::RouterScore::kSoftmaxOfChosen,
                           kernels::RouterScore::kSigmoid}) {
    for (const int64_t groups : {1, 4}) {
      kernels::RouterConfig config;
      config.num_experts = 16;
      config.top_k = 4;
      config.score = score;
      config.norm_topk_prob = score != kernels::RouterScore::kSoftmaxOfChosen;
      config.normalize_eps = 1e-20;
      config.scale = 2.5;
      config.n_group = groups;
      config.topk_group = groups / 2 + groups % 2;
      config.group_score = kernels::GroupScore::kBestTwo;
      const at::Tensor c = random_tensor({100, 4}, 7).to(at::kFloat);
      const at::Tensor score_bias = random_tensor({16}, 8).to(at::kFloat);
      std::vector<at::Tensor> experts, weights, gradients;
      for (const at::Device device : {at::Device(at::kCPU), at::Device(at::kCUDA, 0)}) {
        const at::Tensor logits =
            random_tensor({100, 16}, 6).to(at::kFloat).to(device).detach().requires_grad_();
        const Routing routing = route(logits, score_bias.to(device), config);
        torch::autograd::backward({routing.weights}, {c.to(device)});
        experts.push_back(routing.experts.cpu());
        weights.push_back(routing.weights.detach().cpu());
        gradients.push_back(logits.grad().cpu());
      }
      EXPECT_TRUE(experts[0].equal(experts[1]));
      expect_close(weights[1], weights[0], 1e-6, "weights");
      expect_close(gradients[1], gradients[0], 1e-5, "gradients");
    }
  }
}

}  // namespace
}  // namespace automodel::ops
