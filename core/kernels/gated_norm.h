#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Gated RMS normalisation of the groups of a row, with s = silu(gate) and n(h) = h / sqrt(mean(h^2) + eps):
///   kGateFirst  y = weight * n(x * s)      Mamba-2 (Dao & Gu 2024, arXiv:2405.21060)
///   kNormFirst  y = weight * n(x) * s      gated DeltaNet (Yang et al. 2024, arXiv:2412.06464)
///   kGateOnly   y = x * s                  Falcon-H1 without its norm
///
/// x, y    [rows, width], contiguous;  gate [rows, width], gate_stride elements from row to row
/// weight  [weight_length]: of `width`, or of one group and shared by all; null for kGateOnly
/// rstd    [rows, width / group]; null for kGateOnly
/// Computed in Compute<T>, rounded once. Deterministic. The CPU functions run on the calling thread.
namespace automodel::kernels {

enum class GateOrder { kGateFirst, kNormFirst, kGateOnly };

struct GatedNormShape {
  int64_t width = 0;
  int64_t group = 0;
  int64_t weight_length = 0;
  int64_t gate_stride = 0;
  GateOrder order = GateOrder::kGateFirst;
  double eps = 1e-6;
};

template <class T>
void gated_norm_stats(
    const T* x, const T* gate, Compute<T>* rstd, const GatedNormShape& shape, int64_t begin, int64_t end);

/// What recomputes y from saved x, gate and rstd too.
template <class T>
void gated_norm_apply(const T* x,
                      const T* gate,
                      const Compute<T>* rstd,
                      const T* weight,
                      T* y,
                      const GatedNormShape& shape,
                      int64_t begin,
                      int64_t end);

/// dx, dgate [rows, width] are overwritten; dweight [weight_length] is added to (null: not formed).
template <class T>
void gated_norm_backward(const T* dy,
                         const T* x,
                         const T* gate,
                         const Compute<T>* rstd,
                         const T* weight,
                         T* dx,
                         T* dgate,
                         Compute<T>* dweight,
                         const GatedNormShape& shape,
                         int64_t begin,
                         int64_t end);

/// On the device, asynchronous on `stream` (a cudaStream_t). The forward also writes rstd.
struct GatedNormForwardArgs {
  Element element = Element::kFloat32;
  const void* x = nullptr;
  const void* gate = nullptr;
  float* rstd = nullptr;
  const void* weight = nullptr;
  void* y = nullptr;
  GatedNormShape shape{};
  int64_t rows = 0;
  void* stream = nullptr;
};

void gated_norm_forward_cuda(const GatedNormForwardArgs& args);

/// dweight_rows [rows, width] f32: each row's share of the weight's gradient; null: not formed.
struct GatedNormBackwardArgs {
  Element element = Element::kFloat32;
  const void* dy = nullptr;
  const void* x = nullptr;
  const void* gate = nullptr;
  const float* rstd = nullptr;
  const void* weight = nullptr;
  void* dx = nullptr;
  void* dgate = nullptr;
  float* dweight_rows = nullptr;
  GatedNormShape shape{};
  int64_t rows = 0;
  void* stream = nullptr;
};

void gated_norm_backward_cuda(const GatedNormBackwardArgs& args);

}  // namespace automodel::kernels
