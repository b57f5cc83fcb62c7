#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// silu(gate) * up and its gradient in one pass each, on a CPU.
///
/// gate_up, dgate_up [rows, 2 F] hold gate, then up;  product, dproduct [rows, F]
/// Computed in f32 (f64); values that transformers would store are rounded to T. The exponential is within 2
/// units in the last place. T is float, BF16 or double. On the calling thread.
namespace automodel::kernels {

template <class T>
void silu_and_mul(const T* gate_up, T* product, int64_t rows, int64_t width);

/// What the backward writes.
template <class T>
struct SiluAndMulGradient {
  T* product;  ///< times its row's weight where dweights are wanted
  T* dgate_up;
  Compute<T>* dweights;  ///< [rows] the gradient of each weight; null: not wanted
};

/// From the gradient of the product times `weights` [rows]; null: ones.
template <class T>
void silu_and_mul_backward(const T* dproduct,
                           const T* gate_up,
                           const Compute<T>* weights,
                           const SiluAndMulGradient<T>& to,
                           int64_t rows,
                           int64_t width);

}  // namespace automodel::kernels
