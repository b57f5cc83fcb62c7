#include "core/kernels/silu_and_mul.h"
#include "core/kernels/vector_math.h"
#include "core/kernels/vectorised.h"
#include "core/kernels/vectorised_sum.h"

namespace automodel::kernels {

template <class T>
AUTOMODEL_VECTORISED void silu_and_mul(const T* gate_up, T* product, int64_t rows, int64_t width) {
  using C = Compute<T>;
  for (int64_t r = 0; r < rows; ++r) {
    const T* gate = gate_up + r * 2 * width;
    const T* up = gate + width;
    T* to = product + r * width;
    for (int64_t i = 0; i < width; ++i) {
      const C g = load(gate[i]);
      store(to[i], rounded<T>(g * vector_sigmoid(g)) * load(up[i]));
    }
  }
}

namespace {

/// One row, whose product is left without its weight.
template <class T>
void backward_of_row(const T* __restrict dproduct,
                     const T* __restrict gate,
                     const T* __restrict up,
                     Compute<T> weight,
                     T* __restrict product,
                     T* __restrict dgate,
                     T* __restrict dup,
                     int64_t width) {
  using C = Compute<T>;
  for (int64_t i = 0; i < width; ++i) {
    const C g = load(gate[i]);
    const C u = load(up[i]);
    const C d = rounded<T>(load(dproduct[i]) * weight);
    const C s = vector_sigmoid(g);
    const C activated = rounded<T>(g * s);
    store(product[i], activated * u);
    store(dup[i], activated * d);
    store(dgate[i], rounded<T>(d * u) * s * (C(1) + g * (C(1) - s)));
  }
}

/// Gives one row's product its weight; returns the gradient of that.
template <class T>
Compute<T> weigh_row(const T* dproduct, Compute<T> weight, T* product, int64_t width) {
  using C = Compute<T>;
  const C sum =
      vectorised_sum<C>(width, [&](int64_t i) { return rounded<T>(load(dproduct[i]) * load(product[i])); });
  for (int64_t i = 0; i < width; ++i) store(product[i], load(product[i]) * weight);
  return sum;
}

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void silu_and_mul_backward(const T* dproduct,
                                                const T* gate_up,
                                                const Compute<T>* weights,
                                                const SiluAndMulGradient<T>& to,
                                                int64_t rows,
                                                int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* gate = gate_up + r * 2 * width;
    T* dgate = to.dgate_up + r * 2 * width;
    T* product = to.product + r * width;
    const Compute<T> weight = weights ? weights[r] : Compute<T>{1};
    backward_of_row<T>(
        dproduct + r * width, gate, gate + width, weight, product, dgate, dgate + width, width);
    if (to.dweights) to.dweights[r] = weigh_row<T>(dproduct + r * width, weight, product, width);
  }
}

#define AUTOMODEL_INSTANTIATE(T)                              \
  template void silu_and_mul(const T*, T*, int64_t, int64_t); \
  template void silu_and_mul_backward(                        \
      const T*, const T*, const Compute<T>*, const SiluAndMulGradient<T>&, int64_t, int64_t);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
