#pragma once

#include <bit>
#include <cstdint>

/// bfloat16 as bit patterns: the upper half of an IEEE 754 single.
namespace automodel::kernels {

inline float from_bf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// The nearest bfloat16 as a float, ties to even; NaN stays NaN. Without branches, for loops that compilers
/// turn into vector code.
inline float round_bf16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint32_t nearest = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
  const uint32_t nan = (bits & 0xffff0000u) | 0x400000u;
  return std::bit_cast<float>((bits & 0x7fffffffu) > 0x7f800000u ? nan : nearest);
}

inline uint16_t to_bf16(float x) {
  return static_cast<uint16_t>(std::bit_cast<uint32_t>(round_bf16(x)) >> 16);
}

}  // namespace automodel::kernels
