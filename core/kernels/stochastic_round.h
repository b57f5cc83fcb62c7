#pragma once

#include <bit>
#include <cstdint>

#include "core/kernels/bfloat16.h"

/// Stochastic rounding of float32 to bfloat16 by a counter-based hash, the same on CPU and device.
#ifdef __CUDACC__
#define AUTOMODEL_HOST_DEVICE __host__ __device__
#else
#define AUTOMODEL_HOST_DEVICE
#endif

namespace automodel::kernels {

/// 64 random bits of a counter: the finaliser of splitmix64 (Steele et al. 2014,
/// doi:10.1145/2660193.2660195).
AUTOMODEL_HOST_DEVICE inline uint64_t hash_bits(uint64_t key, uint64_t counter) {
  uint64_t z = key + counter * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// The bits of a float, rounded to those of a bfloat16 above or below it by 16 random bits, with
/// probabilities that make the mean exact. Infinities stay; a NaN stays one.
AUTOMODEL_HOST_DEVICE inline uint16_t round_stochastic(uint32_t bits, uint32_t random) {
  const bool is_finite = (bits & 0x7f800000u) != 0x7f800000u;
  const uint32_t quiet = (bits & 0x7fffffu) != 0 ? 0x400000u : 0u;
  return static_cast<uint16_t>((is_finite ? bits + (random & 0xffffu) : bits | quiet) >> 16);
}

}  // namespace automodel::kernels
