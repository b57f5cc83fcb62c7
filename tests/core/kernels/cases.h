#pragma once

#include <cstdint>
#include <random>
#include <vector>

/// What the tests and benches of element-wise kernels share.
namespace automodel::kernels::testing {

/// Elements of a flat buffer: a norm, awkward tails, an odd prime, a block of SmolLM2-135M (3.5 M).
inline std::vector<int64_t> flat_sizes() {
  return {1, 3, 255, 257, 4099, 3540096};
}

/// n numbers of a standard normal distribution.
inline std::vector<float> normal(int64_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = distribution(generator);
  return values;
}

}  // namespace automodel::kernels::testing
