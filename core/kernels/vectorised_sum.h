#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace automodel::kernels {

/// Sum of term(i) over [0, n) in a fixed order that compilers turn into vector code.
template <class C, class Term>
C vectorised_sum(int64_t n, Term term) {
  constexpr int64_t kLanes = 16;
  std::array<C, kLanes> lanes{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[static_cast<size_t>(j)] += term(i + j);
  }
  C total = 0;
  for (; i < n; ++i) total += term(i);
  for (const C lane : lanes) total += lane;
  return total;
}

}  // namespace automodel::kernels
