#pragma once

#include <cstdint>
#include <type_traits>

#include "core/kernels/bfloat16.h"

/// Element types as the CPU kernels see them: `float`; `BF16`, a bit pattern that computes in float;
/// `double`, for finite differences.
namespace automodel::kernels {

/// The element type of device kernels, whose buffers come as void pointers.
enum class Element { kFloat32, kBFloat16 };

struct BF16 {
  uint16_t bits;
};

/// What an element type computes in.
template <class T>
using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;

inline double load(double x) {
  return x;
}

inline float load(float x) {
  return x;
}

inline float load(BF16 x) {
  return from_bf16(x.bits);
}

inline void store(double& to, double x) {
  to = x;
}

inline void store(float& to, float x) {
  to = x;
}

inline void store(BF16& to, float x) {
  to.bits = to_bf16(x);
}

/// `x` as the element type would hold it.
template <class T>
Compute<T> rounded(Compute<T> x) {
  T t;
  store(t, x);
  return load(t);
}

}  // namespace automodel::kernels
