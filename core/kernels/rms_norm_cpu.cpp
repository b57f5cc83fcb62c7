#include <cmath>

#include "core/kernels/rms_norm.h"
#include "core/kernels/vectorised.h"
#include "core/kernels/vectorised_sum.h"

namespace automodel::kernels {
template <class T>
AUTOMODEL_VECTORISED void rms_norm_stats(
    const T* x, int64_t x_stride, Compute<T>* rstd, int64_t rows, int64_t d, Compute<T> eps) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * x_stride;
    const Compute<T> squares =
        vectorised_sum<Compute<T>>(d, [&](int64_t i) { return load(row[i]) * load(row[i]); });
    rstd[r] = 1 / std::sqrt(squares / static_cast<Compute<T>>(d) + eps);
  }
}

template <class T>
AUTOMODEL_VECTORISED void rms_norm_apply(const T* x,
                                         int64_t x_stride,
                                         const Compute<T>* rstd,
                                         const T* weight,
                                         Compute<T> offset,
                                         T* y,
                                         int64_t rows,
                                         int64_t d) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * x_stride;
    T* out = y + r * d;
    if (offset == 0) {
      for (int64_t i = 0; i < d; ++i) store(out[i], load(weight[i]) * rounded<T>(load(row[i]) * rstd[r]));
    } else {
      for (int64_t i = 0; i < d; ++i) store(out[i], (load(weight[i]) + offset) * (load(row[i]) * rstd[r]));
    }
  }
}

template <class T>
AUTOMODEL_VECTORISED void rms_norm_backward(const T* dy,
                                            const T* x,
                                            int64_t x_stride,
                                            const Compute<T>* rstd,
                                            const T* weight,
                                            Compute<T> offset,
                                            T* dx,
                                            Compute<T>* dweight,
                                            int64_t rows,
                                            int64_t d,
                                            const T* residual) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * x_stride;
    const T* in = dy + r * d;
    T* out = dx + r * d;
    const Compute<T> scale = rstd[r];
    // With n = x * rstd and g = dy * weight: dx = rstd * (g - n * mean(g * n)).
    const Compute<T> mean =
        vectorised_sum<Compute<T>>(
            d, [&](int64_t i) { return load(in[i]) * (load(weight[i]) + offset) * load(row[i]) * scale; }) /
        static_cast<Compute<T>>(d);
    for (int64_t i = 0; i < d; ++i) {
      const Compute<T> normed = load(row[i]) * scale;
      store(out[i], scale * (load(in[i]) * (load(weight[i]) + offset) - normed * mean));
      if (dweight != nullptr) dweight[i] += load(in[i]) * rounded<T>(normed);
    }
    if (residual == nullptr) continue;
    for (int64_t i = 0; i < d; ++i) store(out[i], load(out[i]) + load(residual[r * d + i]));
  }
}

#define AUTOMODEL_INSTANTIATE(T)                                                                 \
  template void rms_norm_stats<T>(const T*, int64_t, Compute<T>*, int64_t, int64_t, Compute<T>); \
  template void rms_norm_apply<T>(                                                               \
      const T*, int64_t, const Compute<T>*, const T*, Compute<T>, T*, int64_t, int64_t);         \
  template void rms_norm_backward<T>(const T*,                                                   \
                                     const T*,                                                   \
                                     int64_t,                                                    \
                                     const Compute<T>*,                                          \
                                     const T*,                                                   \
                                     Compute<T>,                                                 \
                                     T*,                                                         \
                                     Compute<T>*,                                                \
                                     int64_t,                                                    \
                                     int64_t,                                                    \
                                     const T*);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
