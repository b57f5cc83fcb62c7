#pragma once

#include <cstdint>

#include "core/kernels/element.h"

namespace automodel::kernels {

/// Sums of k rows for each token: out[r] = sum over j of weights[r, j] * y[slots[r, j]], in this order,
/// accumulated in f32 (f64 for double).
///
/// y [n, d];  slots [rows, k];  weights [rows, k] f32 (double for double), or null: ones;  out [rows, d]
/// T is float, BF16 or double. Runs on the calling thread.
template <class T>
void combine_rows(
    const T* y, const int64_t* slots, const Compute<T>* weights, T* out, int64_t rows, int64_t k, int64_t d);

/// combine_rows on the device, f32 and bf16; asynchronous on `stream` (a cudaStream_t), no workspace.
struct CombineRowsArgs {
  Element element = Element::kFloat32;
  const void* y = nullptr;
  const int64_t* slots = nullptr;
  const float* weights = nullptr;
  void* out = nullptr;
  int64_t rows = 0;
  int64_t k = 0;
  int64_t d = 0;
  void* stream = nullptr;
};

void combine_rows_cuda(const CombineRowsArgs& args);

}  // namespace automodel::kernels
