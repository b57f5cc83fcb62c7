#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/ops/linear.h"
#include "core/tensor/flat_parameter.h"

/// Finite differences, in float64, of ops whose weights live outside autograd.
namespace automodel::ops::testing {

inline tensor::FlatParameter::Options float64_unit() {
  tensor::FlatParameter::Options options;
  options.main_dtype = options.compute_dtype = options.grad_dtype = at::kDouble;
  return options;
}

/// A unit of parameters drawn from a seeded normal distribution, gathered and ready for a step.
inline std::unique_ptr<tensor::FlatParameter> random_unit(
    std::vector<tensor::Parameter> parameters,
    uint64_t seed,
    tensor::FlatParameter::Options options = float64_unit()) {
  auto unit = std::make_unique<tensor::FlatParameter>("unit", std::move(parameters), options);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  for (size_t i = 0; i < unit->parameters().size(); ++i)
    unit->main_weight(i).copy_(
        at::empty(unit->parameters()[i].shape, at::kDouble).normal_(0, 0.5, generator));
  unit->main_changed();
  unit->gather();
  unit->begin_step();
  return unit;
}

/// Float64 numbers from a seeded normal distribution.
inline at::Tensor random_tensor(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::empty(shape, at::kDouble).normal_(0, 1, generator);
}

/// Of the largest slope: what central differences in float64 and a gradient may differ by.
constexpr double kSlopeTolerance = 1e-6;
constexpr double kSlopeStep = 1e-5;

/// Compares d(value)/d(buffer) with the slopes of `value` around the buffer's contents: along some elements,
/// and along random directions that move all of them. `value` is a scalar function of the buffer, which is
/// float64 and contiguous.
inline void expect_slopes(const std::function<double()>& value,
                          const at::Tensor& buffer,
                          const at::Tensor& gradient,
                          const std::string& what) {
  ASSERT_EQ(buffer.scalar_type(), at::kDouble) << what;
  ASSERT_TRUE(gradient.defined()) << what << " has no gradient";
  ASSERT_EQ(gradient.sizes(), buffer.sizes()) << what;
  const at::Tensor flat = buffer.view({-1});
  const at::Tensor slopes = gradient.reshape({-1});
  const at::Tensor kept = flat.clone();
  const auto slope_along = [&](const at::Tensor& direction) {
    flat.copy_(kept + direction * kSlopeStep);
    const double above = value();
    flat.copy_(kept - direction * kSlopeStep);
    const double below = value();
    flat.copy_(kept);
    return (above - below) / (2 * kSlopeStep);
  };
  const double largest = std::max(1e-2, slopes.abs().max().item<double>());
  const int64_t stride = std::max<int64_t>(1, flat.numel() / 13);
  for (int64_t i = 0; i < flat.numel(); i += stride) {
    at::Tensor direction = at::zeros_like(flat);
    direction[i].fill_(1);
    EXPECT_NEAR(slopes[i].item<double>(), slope_along(direction), kSlopeTolerance * largest)
        << what << " " << i;
  }
  for (const uint64_t seed : {101, 102}) {
    at::Tensor direction = random_tensor(flat.sizes(), seed);
    direction.div_(direction.norm());
    EXPECT_NEAR((slopes * direction).sum().item<double>(), slope_along(direction), kSlopeTolerance * largest)
        << what << " along direction " << seed;
  }
}

/// ATen uses one thread while this lives: for inputs this small more of them only wait.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }

  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

  ~OneThread() { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

/// A function of several inputs whose weights lie in units.
using OpOfInputs = std::function<at::Tensor(const std::vector<at::Tensor>& inputs, const OpContext& context)>;

/// Checks the gradients of sum(op(inputs) * c) for a fixed random c (1 when the result is a scalar) by every
/// floating input and every parameter of the trainable units, at both memory levels. Inputs and units are
/// float64. `dropout_keys` go into the context.
inline void check_gradients(const OpOfInputs& op,
                            const std::vector<at::Tensor>& inputs,
                            const std::vector<tensor::FlatParameter*>& units,
                            const at::Tensor& dropout_keys = {}) {
  const OneThread one_thread;
  for (const bool cheap : {true, false}) {
    GradSink sink;
    const OpContext context{&sink, cheap, dropout_keys};
    std::vector<at::Tensor> leaves;
    for (const at::Tensor& input : inputs)
      leaves.push_back(input.detach().clone().requires_grad_(input.is_floating_point()));
    for (tensor::FlatParameter* unit : units) unit->begin_step();
    const at::Tensor y = op(leaves, context);
    const at::Tensor c = y.dim() == 0 ? at::ones({}, y.options()) : random_tensor(y.sizes(), 99);
    torch::autograd::backward({y}, {c});
    const auto value = [&] {
      const c10::NoGradGuard no_grad;
      return (op(inputs, context) * c).sum().item<double>();
    };
    const std::string level = cheap ? " (recomputed)" : " (kept)";
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].is_floating_point())
        expect_slopes(value, inputs[i], leaves[i].grad(), "input " + std::to_string(i) + level);
    }
    for (tensor::FlatParameter* unit : units) {
      for (size_t i = 0; unit->trainable() && i < unit->parameters().size(); ++i) {
        const std::string& name = unit->parameters()[i].name;
        ASSERT_TRUE(unit->grad_written(i)) << name;
        expect_slopes(value, unit->main_weight(i), unit->grad(i), name + level);
      }
    }
  }
}

}  // namespace automodel::ops::testing
