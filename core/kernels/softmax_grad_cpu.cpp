#include <type_traits>

#include "core/kernels/softmax_grad.h"
#include "core/kernels/vector_math.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {
namespace {

/// e^x, and 0 where that is no normal number.
template <class F>
inline F exp_or_zero(F x) {
  constexpr F kSmallest = std::is_same_v<F, float> ? -87 : -708;
  const F value = vector_exp(x);
  return x > kSmallest ? value : F(0);
}

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void softmax_grad(const Compute<T>* log_probs,
                                       const int64_t* targets,
                                       T* dlogits,
                                       int64_t rows,
                                       int64_t width,
                                       Compute<T> scale) {
  for (int64_t r = 0; r < rows; ++r) {
    const Compute<T>* from = log_probs + r * width;
    T* to = dlogits + r * width;
    const Compute<T> of_target = exp_or_zero(from[targets[r]]);
    for (int64_t i = 0; i < width; ++i) store(to[i], exp_or_zero(from[i]) * scale);
    store(to[targets[r]], (of_target - 1) * scale);
  }
}

#define AUTOMODEL_INSTANTIATE(T) \
  template void softmax_grad<T>(const Compute<T>*, const int64_t*, T*, int64_t, int64_t, Compute<T>);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
