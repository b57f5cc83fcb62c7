#include <algorithm>
#include <array>

#include "core/kernels/combine_rows.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {
template <class T>
AUTOMODEL_VECTORISED void combine_rows(
    const T* y, const int64_t* slots, const Compute<T>* weights, T* out, int64_t rows, int64_t k, int64_t d) {
  constexpr int64_t kStrip = 256;  // columns whose sums stay in registers and the nearest cache
  std::array<Compute<T>, kStrip> sums;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t first = 0; first < d; first += kStrip) {
      const int64_t width = std::min(kStrip, d - first);
      Compute<T>* sum = sums.data();
      for (int64_t i = 0; i < width; ++i) sum[i] = 0;
      for (int64_t j = 0; j < k; ++j) {
        const T* row = y + slots[r * k + j] * d + first;
        const Compute<T> weight = weights ? weights[r * k + j] : Compute<T>{1};
        for (int64_t i = 0; i < width; ++i) sum[i] += weight * load(row[i]);
      }
      for (int64_t i = 0; i < width; ++i) store(out[r * d + first + i], sum[i]);
    }
  }
}

template void combine_rows(const float*, const int64_t*, const float*, float*, int64_t, int64_t, int64_t);
template void combine_rows(const BF16*, const int64_t*, const float*, BF16*, int64_t, int64_t, int64_t);
template void combine_rows(const double*, const int64_t*, const double*, double*, int64_t, int64_t, int64_t);

}  // namespace automodel::kernels
