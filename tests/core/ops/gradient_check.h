#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

#include "core/ops/linear.h"
#include "core/tensor/unit.h"

/// Finite differences of ops whose weights live outside autograd.
namespace automodel::ops::testing {

/// A unit of float32 parameters drawn from a seeded normal distribution, gathered and ready for a step.
inline std::unique_ptr<tensor::Unit> random_unit(std::vector<tensor::Parameter> parameters,
                                                 uint64_t seed,
                                                 tensor::Unit::Options options = {}) {
  auto unit = std::make_unique<tensor::Unit>("unit", std::move(parameters), options);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  for (size_t i = 0; i < unit->parameters().size(); ++i)
    unit->home(i).copy_(at::empty(unit->parameters()[i].shape, at::kFloat).normal_(0, 0.5, generator));
  unit->home_changed();
  unit->gather();
  unit->begin_step();
  return unit;
}

inline at::Tensor random_tensor(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::empty(shape, at::kFloat).normal_(0, 1, generator);
}

/// Compares d(value)/d(buffer[i]) for some elements with the slope of `value` around it.
/// `value` is a scalar function of the buffer's current contents; float32 limits both step and agreement.
inline void expect_slopes(const std::function<double()>& value,
                          const at::Tensor& buffer,
                          const at::Tensor& gradient,
                          const std::string& what) {
  constexpr double kStep = 1e-2;
  constexpr double kTolerance = 2e-2;
  const at::Tensor flat = buffer.view({-1});
  const at::Tensor slopes = gradient.reshape({-1});
  double largest = 1e-3;
  for (int64_t i = 0; i < slopes.numel(); ++i)
    largest = std::max(largest, std::abs(slopes[i].item<double>()));
  const int64_t stride = std::max<int64_t>(1, flat.numel() / 13);
  for (int64_t i = 0; i < flat.numel(); i += stride) {
    const float kept = flat[i].item<float>();
    flat[i].fill_(kept + kStep);
    const double above = value();
    flat[i].fill_(kept - kStep);
    const double below = value();
    flat[i].fill_(kept);
    EXPECT_NEAR(slopes[i].item<double>(), (above - below) / (2 * kStep), kTolerance * largest)
        << what << " " << i;
  }
}

}  // namespace automodel::ops::testing
