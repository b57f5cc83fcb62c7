#pragma once

#include <cstdint>

#include "core/kernels/activation.h"
#include "core/kernels/element.h"

namespace automodel::kernels {

/// How an expert makes its product of gate and up. limit = 0: act(gate) * up, as in a gated MLP. Else
/// GPT-OSS's clamped gate (arXiv:2508.10925): with gate at most `limit` and up within +-limit, gate *
/// sigmoid(alpha * gate) * (up + 1). Without a gate: act(up), whatever the limit.
struct ExpertGlu {
  Activation activation = Activation::kSilu;
  double limit = 0.0;    ///< swiglu_limit
  double alpha = 1.702;  ///< swiglu_alpha; without effect when limit = 0
  bool gated = true;     ///< false: Nemotron-H, arXiv:2504.03624

  /// Columns that make one of the product: gate and up, or up alone.
  int64_t parts() const { return gated ? 2 : 1; }
};

/// The product on the device. gate_up [rows, parts F] holds gate, then up;  product [rows, F]. Asynchronous
/// on `stream` (a cudaStream_t), no workspace.
struct ExpertGluArgs {
  Element element = Element::kFloat32;
  ExpertGlu gate{};
  const void* gate_up = nullptr;
  void* product = nullptr;
  int64_t rows = 0;
  int64_t width = 0;
  void* stream = nullptr;
};

void expert_glu_cuda(const ExpertGluArgs& args);

/// Its backward where each row's output counts `weights` times: from the gradient of the product before
/// weighting, dproduct [rows, F], the product times its row's weight, the gradient of gate_up, and the
/// gradient of each weight, summed in a fixed order. weights [rows] f32 or null: ones;  dweights [rows] f32.
struct ExpertGluBackwardArgs {
  Element element = Element::kFloat32;
  ExpertGlu gate{};
  const void* dproduct = nullptr;
  const void* gate_up = nullptr;
  const float* weights = nullptr;
  void* product = nullptr;
  void* dgate_up = nullptr;
  float* dweights = nullptr;
  int64_t rows = 0;
  int64_t width = 0;
  void* stream = nullptr;
};

void expert_glu_backward_cuda(const ExpertGluBackwardArgs& args);

}  // namespace automodel::kernels
