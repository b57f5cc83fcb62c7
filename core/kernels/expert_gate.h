#pragma once

#include "core/kernels/activation.h"

namespace automodel::kernels {

/// How an expert makes its product of gate and up. limit = 0: act(gate) * up, as in a gated MLP. Else
/// GPT-OSS's clamped gate (arXiv:2508.10925): with gate at most `limit` and up within +-limit, gate *
/// sigmoid(alpha * gate) * (up + 1).
struct ExpertGate {
  Activation activation = Activation::kSilu;
  double limit = 0.0;    ///< swiglu_limit
  double alpha = 1.702;  ///< swiglu_alpha; without effect when limit = 0
};

}  // namespace automodel::kernels
