#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Root-mean-square normalisation of rows: y = round(x * rstd) * weight, rstd = 1 / sqrt(mean(x^2) + eps).
/// Zhang & Sennrich 2019, arXiv:1910.07467. Statistics in f32; `round` is to the element type, as
/// transformers does. An `offset` other than 0 is added to the weight in f32, and nothing is rounded before
/// it multiplies (Gemma).
///
/// x, y [rows, d] contiguous in d, `x_stride` elements from row to row of x; weight [d]; rstd [rows] f32.
/// T is float, BF16 or double (rstd, dweight double then). Deterministic: each row is summed in one fixed
/// order. Runs on the calling thread.
namespace automodel::kernels {

template <class T>
void rms_norm_stats(const T* x, int64_t x_stride, Compute<T>* rstd, int64_t rows, int64_t d, Compute<T> eps);

/// The second half of the forward; also what recomputes y from saved x and rstd, to the bit.
template <class T>
void rms_norm_apply(const T* x,
                    int64_t x_stride,
                    const Compute<T>* rstd,
                    const T* weight,
                    Compute<T> offset,
                    T* y,
                    int64_t rows,
                    int64_t d);

/// dx [rows, d] is overwritten; dweight [d] f32 is added to (null: of a frozen norm, not formed). dy [rows,
/// d]. `residual` [rows, d], unless null, is added to the rounded dx: the gradient that came past the norm.
template <class T>
void rms_norm_backward(const T* dy,
                       const T* x,
                       int64_t x_stride,
                       const Compute<T>* rstd,
                       const T* weight,
                       Compute<T> offset,
                       T* dx,
                       Compute<T>* dweight,
                       int64_t rows,
                       int64_t d,
                       const T* residual = nullptr);

/// On the device: pointers to device memory, asynchronous on `stream` (a cudaStream_t), no workspace. `rstd`
/// is written by the forward and read by the others. With `addend` [rows, d] the rows of x (contiguous then)
/// have it added first, and the rounded sum, which is what is normalised, is written to `sum` [rows, d].
struct RmsNormForwardArgs {
  Element element = Element::kFloat32;
  const void* x = nullptr;
  int64_t x_stride = 0;
  const void* addend = nullptr;
  void* sum = nullptr;
  const void* weight = nullptr;
  float offset = 0;
  void* y = nullptr;
  float* rstd = nullptr;
  int64_t rows = 0;
  int64_t d = 0;
  float eps = 0;
  void* stream = nullptr;
};

void rms_norm_forward_cuda(const RmsNormForwardArgs& args);

struct RmsNormApplyArgs {
  Element element = Element::kFloat32;
  const void* x = nullptr;
  int64_t x_stride = 0;
  const float* rstd = nullptr;
  const void* weight = nullptr;
  float offset = 0;
  void* y = nullptr;
  int64_t rows = 0;
  int64_t d = 0;
  void* stream = nullptr;
};

void rms_norm_apply_cuda(const RmsNormApplyArgs& args);

/// Rows of `dweight_parts` that rms_norm_backward_cuda fills; their sum is the gradient of the weight.
int64_t rms_norm_parts_cuda(int64_t rows, int64_t d);

/// dweight_parts [rms_norm_parts_cuda(rows, d), d] is overwritten; null when the weight is frozen. `residual`
/// as above.
struct RmsNormBackwardArgs {
  Element element = Element::kFloat32;
  const void* dy = nullptr;
  const void* x = nullptr;
  int64_t x_stride = 0;
  const float* rstd = nullptr;
  const void* weight = nullptr;
  float offset = 0;
  const void* residual = nullptr;
  void* dx = nullptr;
  float* dweight_parts = nullptr;
  int64_t rows = 0;
  int64_t d = 0;
  void* stream = nullptr;
};

void rms_norm_backward_cuda(const RmsNormBackwardArgs& args);

}  // namespace automodel::kernels
