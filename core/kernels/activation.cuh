#pragma once

// For core/kernels/*.cu only: activations with their slopes.

#include "core/kernels/activation.h"

namespace automodel::kernels {

/// An activation's value and slope at x.
struct Activated {
  float value;
  float slope;
};

template <Activation kActivation>
__device__ Activated activate(float x) {
  if constexpr (kActivation == Activation::kSilu) {
    const float s = __fdividef(1.0f, 1.0f + __expf(-x));
    return {x * s, s * (1.0f + x * (1.0f - s))};
  } else if constexpr (kActivation == Activation::kGelu) {
    constexpr float kInvSqrt2 = 0.70710678118654752f;
    constexpr float kInvSqrt2Pi = 0.39894228040143268f;
    const float cdf = 0.5f * (1.0f + erff(x * kInvSqrt2));
    return {x * cdf, cdf + x * kInvSqrt2Pi * __expf(-0.5f * x * x)};
  } else if constexpr (kActivation == Activation::kGeluTanh) {
    constexpr float kBeta = 0.79788456080286536f;
    constexpr float kKappa = 0.044715f;
    const float t = tanhf(kBeta * (x + kKappa * x * x * x));
    const float inner_slope = kBeta * (1.0f + 3.0f * kKappa * x * x);
    return {0.5f * x * (1.0f + t), 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * inner_slope};
  } else if constexpr (kActivation == Activation::kRelu2) {
    const float positive = x > 0 ? x : 0.0f;
    return {positive * positive, 2.0f * positive};
  } else if constexpr (kActivation == Activation::kTanh) {
    const float t = tanhf(x);
    return {t, 1.0f - t * t};
  } else {
    return {x > 0 ? x : 0.0f, x > 0 ? 1.0f : 0.0f};
  }
}

}  // namespace automodel::kernels
