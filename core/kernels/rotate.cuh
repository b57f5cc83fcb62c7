#pragma once

// For core/kernels/*.cu only: rotary position embedding of pairs in registers.

#include "core/kernels/device.cuh"

namespace automodel::kernels {

/// Rotates N pairs (a_j, b_j) by the angles whose cosines and sines are given. `kRounds`: angles and products
/// to the element type.
template <bool kRounds, class T, int N>
__device__ void rotate(
    Vector<T, N>& a, Vector<T, N>& b, const Vector<float, N>& cos, const Vector<float, N>& sin, float sign) {
  for (int j = 0; j < N; ++j) {
    const float cosine = kRounds ? round_element<T>(cos.at[j]) : cos.at[j];
    const float sine = sign * (kRounds ? round_element<T>(sin.at[j]) : sin.at[j]);
    const float x0 = load_element(a.at[j]);
    const float x1 = load_element(b.at[j]);
    if constexpr (kRounds) {
      a.at[j] = to_element<T>(round_element<T>(x0 * cosine) - round_element<T>(x1 * sine));
      b.at[j] = to_element<T>(round_element<T>(x1 * cosine) + round_element<T>(x0 * sine));
    } else {
      a.at[j] = to_element<T>(x0 * cosine - x1 * sine);
      b.at[j] = to_element<T>(x1 * cosine + x0 * sine);
    }
  }
}

}  // namespace automodel::kernels
