#include <array>
#include <cstddef>

#include "core/kernels/sum_squares.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {

template <class T>
AUTOMODEL_VECTORISED double sum_squares(const T* x, int64_t n) {
  constexpr int64_t kLanes = 8;
  std::array<double, kLanes> lanes{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) {
      const double value = load(x[i + j]);
      lanes[static_cast<size_t>(j)] += value * value;
    }
  }
  double total = 0;
  for (; i < n; ++i) total += static_cast<double>(load(x[i])) * load(x[i]);
  for (const double lane : lanes) total += lane;
  return total;
}

template double sum_squares<float>(const float*, int64_t);
template double sum_squares<BF16>(const BF16*, int64_t);

}  // namespace automodel::kernels
