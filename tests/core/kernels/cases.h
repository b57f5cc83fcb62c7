#pragma once

#include <cstdint>
#include <vector>

/// Sizes that the tests and benches of element-wise kernels share: of real models, and awkward ones.
namespace automodel::kernels::testing {

/// Elements of a flat buffer: a norm, awkward tails, an odd prime, a block of SmolLM2-135M (3.5 M).
inline std::vector<int64_t> flat_sizes() {
  return {1, 3, 255, 257, 4099, 3540096};
}

}  // namespace automodel::kernels::testing
