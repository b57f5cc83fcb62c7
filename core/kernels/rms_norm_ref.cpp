#include <array>
#include <cmath>
#include <cstddef>

#include "core/kernels/rms_norm.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {
namespace {

/// Sum of term(i) over [0, n) in a fixed order that compilers turn into vector code.
template <class Term>
float lane_sum(int64_t n, Term term) {
  constexpr int64_t kLanes = 16;
  std::array<float, kLanes> lanes{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[static_cast<size_t>(j)] += term(i + j);
  }
  float total = 0;
  for (; i < n; ++i) total += term(i);
  for (const float lane : lanes) total += lane;
  return total;
}

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void rms_norm_stats(
    const T* x, int64_t x_stride, float* rstd, int64_t rows, int64_t d, float eps) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * x_stride;
    const float squares = lane_sum(d, [&](int64_t i) { return load(row[i]) * load(row[i]); });
    rstd[r] = 1.0f / std::sqrt(squares / static_cast<float>(d) + eps);
  }
}

template <class T>
AUTOMODEL_VECTORISED void rms_norm_apply(
    const T* x, int64_t x_stride, const float* rstd, const T* weight, T* y, int64_t rows, int64_t d) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * x_stride;
    T* out = y + r * d;
    for (int64_t i = 0; i < d; ++i) store(out[i], load(weight[i]) * rounded<T>(load(row[i]) * rstd[r]));
  }
}

template <class T>
AUTOMODEL_VECTORISED void rms_norm_backward(const T* dy,
                                            const T* x,
                                            int64_t x_stride,
                                            const float* rstd,
                                            const T* weight,
                                            T* dx,
                                            float* dweight,
                                            int64_t rows,
                                            int64_t d) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * x_stride;
    const T* in = dy + r * d;
    T* out = dx + r * d;
    const float scale = rstd[r];
    // With n = x * rstd and g = dy * weight: dx = rstd * (g - n * mean(g * n)).
    const float mean =
        lane_sum(d, [&](int64_t i) { return load(in[i]) * load(weight[i]) * load(row[i]) * scale; }) /
        static_cast<float>(d);
    for (int64_t i = 0; i < d; ++i) {
      const float normed = load(row[i]) * scale;
      store(out[i], scale * (load(in[i]) * load(weight[i]) - normed * mean));
      if (dweight != nullptr) dweight[i] += load(in[i]) * rounded<T>(normed);
    }
  }
}

#define AUTOMODEL_INSTANTIATE(T)                                                                    \
  template void rms_norm_stats<T>(const T*, int64_t, float*, int64_t, int64_t, float);              \
  template void rms_norm_apply<T>(const T*, int64_t, const float*, const T*, T*, int64_t, int64_t); \
  template void rms_norm_backward<T>(                                                               \
      const T*, const T*, int64_t, const float*, const T*, T*, float*, int64_t, int64_t);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
