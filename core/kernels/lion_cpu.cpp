#include "core/kernels/element.h"
#include "core/kernels/lion.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {

template <class T, class G>
AUTOMODEL_VECTORISED void lion(T* p, const G* grad, T* m, int64_t n, const LionArgs& args) {
  const auto lr = static_cast<float>(args.lr);
  const auto decay = static_cast<float>(1 - args.lr * args.weight_decay);
  const auto beta1 = static_cast<float>(args.beta1), one_minus_beta1 = static_cast<float>(1 - args.beta1);
  const auto beta2 = static_cast<float>(args.beta2), one_minus_beta2 = static_cast<float>(1 - args.beta2);
  for (int64_t i = 0; i < n; ++i) {
    const float g = rounded<T>(rounded<T>(load(grad[i])) * args.grad_scale);
    const float mean = load(m[i]);
    const float direction = rounded<T>(rounded<T>(mean * beta1) + one_minus_beta1 * g);
    const auto sign = static_cast<float>((direction > 0) - (direction < 0));
    store(p[i], rounded<T>(load(p[i]) * decay) - lr * sign);
    store(m[i], rounded<T>(mean * beta2) + one_minus_beta2 * g);
  }
}

template void lion<float, float>(float*, const float*, float*, int64_t, const LionArgs&);

template void lion<BF16, float>(BF16*, const float*, BF16*, int64_t, const LionArgs&);

template void lion<BF16, BF16>(BF16*, const BF16*, BF16*, int64_t, const LionArgs&);

}  // namespace automodel::kernels
