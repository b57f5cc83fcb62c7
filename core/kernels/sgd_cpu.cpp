#include "core/kernels/element.h"
#include "core/kernels/sgd.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {

template <class T>
AUTOMODEL_VECTORISED void sgd(T* p, const float* grad, T* momentum_buffer, int64_t n, const SgdArgs& args) {
  const auto lr = static_cast<float>(args.lr);
  const auto momentum = static_cast<float>(args.momentum);
  const auto decay = static_cast<float>(args.weight_decay);
  for (int64_t i = 0; i < n; ++i) {
    const float x = load(p[i]);
    float g = rounded<T>(rounded<T>(grad[i]) * args.grad_scale);
    if (decay != 0) g = rounded<T>(g + decay * x);
    float direction = g;
    if (momentum != 0) {
      const float buffer =
          args.first_step ? g : rounded<T>(rounded<T>(load(momentum_buffer[i]) * momentum) + g);
      store(momentum_buffer[i], buffer);
      direction = args.nesterov ? rounded<T>(g + momentum * buffer) : buffer;
    }
    store(p[i], x - lr * direction);
  }
}

template void sgd<float>(float*, const float*, float*, int64_t, const SgdArgs&);

template void sgd<BF16>(BF16*, const float*, BF16*, int64_t, const SgdArgs&);

}  // namespace automodel::kernels
