#pragma once

#include <cstdint>

#include "core/kernels/activation.h"
#include "core/kernels/element.h"

/// The product of a gated MLP, act(gate) * up (Shazeer 2020, arXiv:2002.05202), and its gradient, on the
/// device. On the CPU silu_and_mul.h and ATen's vectorised functions do the same.
///
/// gate_up [rows, 2 F] holds gate, then up;  product, dproduct [rows, F];  dgate_up [rows, 2 F]
/// Values that transformers would store (the activated gate, its gradient) are rounded to the element type.
/// Asynchronous on `stream` (a cudaStream_t), no workspace.
namespace automodel::kernels {

struct GluArgs {
  Element element = Element::kFloat32;
  Activation activation{};
  const void* gate_up = nullptr;
  void* product = nullptr;
  int64_t rows = 0;
  int64_t width = 0;
  void* stream = nullptr;
};

void glu_cuda(const GluArgs& args);

/// `product`, unless null, is written as glu_cuda writes it: a backward that recomputes it reads
/// gate_up once.
struct GluBackwardArgs {
  Element element = Element::kFloat32;
  Activation activation{};
  const void* dproduct = nullptr;
  const void* gate_up = nullptr;
  void* dgate_up = nullptr;
  void* product = nullptr;
  int64_t rows = 0;
  int64_t width = 0;
  void* stream = nullptr;
};

void glu_backward_cuda(const GluBackwardArgs& args);

}  // namespace automodel::kernels
