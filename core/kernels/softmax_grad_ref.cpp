#include <bit>
#include <cmath>

#include "core/kernels/softmax_grad.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {
namespace {

/// e^x for x <= 0, without branches or calls: 2^n e^r with |r| <= ln(2) / 2, the polynomial of Cephes
/// (Moshier).
inline float exp_negative(float x) {
  constexpr float kLog2E = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kSmallest = -87.3f;        // below it: 0
  constexpr float kToInteger = 12582912.0f;  // 1.5 * 2^23: its sum with n is n in the lowest bits
  const float bounded = x > kSmallest ? x : kSmallest;
  const float shifted = bounded * kLog2E + kToInteger;
  const float n = shifted - kToInteger;
  const float r = (bounded - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float mantissa = p * r * r + r + 1.0f;
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) & 0x1ffu) << 23;
  const float value = std::bit_cast<float>(std::bit_cast<uint32_t>(mantissa) + exponent);
  return x > kSmallest ? value : 0.0f;
}

inline double exp_negative(double x) {
  return std::exp(x);
}

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void softmax_grad(const Compute<T>* log_probs,
                                       const int64_t* targets,
                                       T* dlogits,
                                       int64_t rows,
                                       int64_t width,
                                       Compute<T> scale) {
  for (int64_t r = 0; r < rows; ++r) {
    const Compute<T>* from = log_probs + r * width;
    T* to = dlogits + r * width;
    const Compute<T> of_target = exp_negative(from[targets[r]]);
    for (int64_t i = 0; i < width; ++i) store(to[i], exp_negative(from[i]) * scale);
    store(to[targets[r]], (of_target - 1) * scale);
  }
}

#define AUTOMODEL_INSTANTIATE(T) \
  template void softmax_grad<T>(const Compute<T>*, const int64_t*, T*, int64_t, int64_t, Compute<T>);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
