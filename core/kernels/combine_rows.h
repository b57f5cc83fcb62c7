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
void combine_rows_cuda(Element element,
                       const void* y,
                       const int64_t* slots,
                       const float* weights,
                       void* out,
                       int64_t rows,
                       int64_t k,
                       int64_t d,
                       void* stream);

}  // namespace automodel::kernels
