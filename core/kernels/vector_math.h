#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/// Functions without branches, which compilers turn into vector code (core/kernels/vectorised.h). For double:
/// those of the standard library.
namespace automodel::kernels {

/// e^x within 2 units in the last place for x in [-87, 88]; beyond as at the nearer end. NaN stays NaN.
/// The polynomial is that of Moshier's Cephes library.
inline float vector_exp(float x) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f;  // few bits: times a whole number it is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRoundingShift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  float clamped = x < -87.0f ? -87.0f : x;
  clamped = clamped > 88.0f ? 88.0f : clamped;
  const float shifted = clamped * kLog2E + kRoundingShift;
  const float n = shifted - kRoundingShift;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) + 127u) << 23;
  return (p * (r * r) + r + 1.0f) * std::bit_cast<float>(exponent);
}

inline double vector_exp(double x) {
  return std::exp(x);
}

template <class F>
F vector_sigmoid(F x) {
  return F(1) / (F(1) + vector_exp(-x));
}

}  // namespace automodel::kernels
