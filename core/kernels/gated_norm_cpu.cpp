#include <cmath>

#include "core/kernels/gated_norm.h"
#include "core/kernels/vector_math.h"
#include "core/kernels/vectorised.h"
#include "core/kernels/vectorised_sum.h"

namespace automodel::kernels {
namespace {

/// Calls body(row, group's first column) for every group of the rows.
template <class Body>
void each_group(const GatedNormShape& shape, int64_t begin, int64_t end, Body body) {
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t column = 0; column < shape.width; column += shape.group) body(row, column);
  }
}

template <class F>
F silu(F x) {
  return x * vector_sigmoid(x);
}

template <class F>
F silu_slope(F x) {
  const F s = vector_sigmoid(x);
  return s * (F(1) + x * (F(1) - s));
}

/// One group of a row at backward.
template <class T>
struct Group {
  using F = Compute<T>;
  const T* dy;
  const T* x;
  const T* gate;
  const T* weight;
  F rstd;
  T* dx;
  T* dgate;
  F* dweight;  ///< null: not formed
  int64_t n;

  // The members are copied: a store through dx could change them as far as a compiler knows.

  void gate_only() const {
    const Group at = *this;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const F g = load(at.gate[i]);
      store(at.dx[i], load(at.dy[i]) * silu(g));
      store(at.dgate[i], load(at.dy[i]) * load(at.x[i]) * silu_slope(g));
    }
  }

  /// Of the gradient of the normalised values and these values; both orders give it the same factors.
  F mean_product() const {
    const Group at = *this;
    const auto product = [&](int64_t i) {
      return load(at.dy[i]) * load(at.weight[i]) * load(at.x[i]) * silu(F(load(at.gate[i]))) * at.rstd;
    };
    return vectorised_sum<F>(n, product) / static_cast<F>(n);
  }

  void gate_first() const {
    const F mean = mean_product();
    const Group at = *this;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const F g = load(at.gate[i]);
      const F s = silu(g);
      const F normed = load(at.x[i]) * s * at.rstd;
      const F dh = at.rstd * (load(at.dy[i]) * load(at.weight[i]) - normed * mean);
      store(at.dx[i], dh * s);
      store(at.dgate[i], dh * load(at.x[i]) * silu_slope(g));
      if (at.dweight != nullptr) at.dweight[i] += load(at.dy[i]) * normed;
    }
  }

  void norm_first() const {
    const F mean = mean_product();
    const Group at = *this;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const F g = load(at.gate[i]);
      const F s = silu(g);
      const F normed = load(at.x[i]) * at.rstd;
      store(at.dx[i], at.rstd * (load(at.dy[i]) * load(at.weight[i]) * s - normed * mean));
      store(at.dgate[i], load(at.dy[i]) * load(at.weight[i]) * normed * silu_slope(g));
      if (at.dweight != nullptr) at.dweight[i] += load(at.dy[i]) * s * normed;
    }
  }
};

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void gated_norm_stats(
    const T* x, const T* gate, Compute<T>* rstd, const GatedNormShape& shape, int64_t begin, int64_t end) {
  using F = Compute<T>;
  const bool gated = shape.order == GateOrder::kGateFirst;
  each_group(shape, begin, end, [&](int64_t row, int64_t column) {
    const T* in = x + row * shape.width + column;
    const T* by = gate + row * shape.gate_stride + column;
    const F squares =
        gated ? vectorised_sum<F>(shape.group,
                                  [&](int64_t i) {
                                    const F h = load(in[i]) * silu(F(load(by[i])));
                                    return h * h;
                                  })
              : vectorised_sum<F>(shape.group, [&](int64_t i) { return F(load(in[i])) * load(in[i]); });
    rstd[(row * shape.width + column) / shape.group] =
        1 / std::sqrt(squares / static_cast<F>(shape.group) + static_cast<F>(shape.eps));
  });
}

template <class T>
AUTOMODEL_VECTORISED void gated_norm_apply(const T* x,
                                           const T* gate,
                                           const Compute<T>* rstd,
                                           const T* weight,
                                           T* y,
                                           const GatedNormShape& shape,
                                           int64_t begin,
                                           int64_t end) {
  using F = Compute<T>;
  const bool normed = shape.order != GateOrder::kGateOnly;
  each_group(shape, begin, end, [&](int64_t row, int64_t column) {
    const T* in = x + row * shape.width + column;
    const T* by = gate + row * shape.gate_stride + column;
    T* out = y + row * shape.width + column;
    if (!normed) {
      for (int64_t i = 0; i < shape.group; ++i) store(out[i], load(in[i]) * silu(F(load(by[i]))));
      return;
    }
    const T* w = weight + column % shape.weight_length;
    const F scale = rstd[(row * shape.width + column) / shape.group];
    for (int64_t i = 0; i < shape.group; ++i)
      store(out[i], load(w[i]) * (load(in[i]) * silu(F(load(by[i]))) * scale));
  });
}

template <class T>
AUTOMODEL_VECTORISED void gated_norm_backward(const T* dy,
                                              const T* x,
                                              const T* gate,
                                              const Compute<T>* rstd,
                                              const T* weight,
                                              T* dx,
                                              T* dgate,
                                              Compute<T>* dweight,
                                              const GatedNormShape& shape,
                                              int64_t begin,
                                              int64_t end) {
  each_group(shape, begin, end, [&](int64_t row, int64_t column) {
    const int64_t at = row * shape.width + column;
    const bool normed = shape.order != GateOrder::kGateOnly;
    const int64_t w = normed ? column % shape.weight_length : 0;
    const Group<T> group{dy + at,
                         x + at,
                         gate + row * shape.gate_stride + column,
                         weight + w,
                         normed ? rstd[at / shape.group] : Compute<T>(0),
                         dx + at,
                         dgate + at,
                         dweight == nullptr ? nullptr : dweight + w,
                         shape.group};
    switch (shape.order) {
      case GateOrder::kGateFirst:
        return group.gate_first();
      case GateOrder::kNormFirst:
        return group.norm_first();
      case GateOrder::kGateOnly:
        return group.gate_only();
    }
  });
}

#define AUTOMODEL_INSTANTIATE(T)                                                                     \
  template void gated_norm_stats<T>(                                                                 \
      const T*, const T*, Compute<T>*, const GatedNormShape&, int64_t, int64_t);                     \
  template void gated_norm_apply<T>(                                                                 \
      const T*, const T*, const Compute<T>*, const T*, T*, const GatedNormShape&, int64_t, int64_t); \
  template void gated_norm_backward<T>(const T*,                                                     \
                                       const T*,                                                     \
                                       const T*,                                                     \
                                       const Compute<T>*,                                            \
                                       const T*,                                                     \
                                       T*,                                                           \
                                       T*,                                                           \
                                       Compute<T>*,                                                  \
                                       const GatedNormShape&,                                        \
                                       int64_t,                                                      \
                                       int64_t);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
