#include "core/kernels/rope.h"

namespace automodel::kernels {

template <class T>
void rope(const T* x,
          int64_t x_stride,
          T* y,
          const float* cos,
          const float* sin,
          float sign,
          const RopeShape& shape,
          int64_t begin,
          int64_t end) {
  const int64_t half = shape.rotary_dim / 2;
  for (int64_t r = begin; r < end; ++r) {
    const float* c = cos + (r % shape.positions) * half;
    const float* s = sin + (r % shape.positions) * half;
    for (int64_t n = 0; n < shape.heads; ++n) {
      const T* in = x + r * x_stride + n * shape.head_dim;
      T* out = y + (r * shape.heads + n) * shape.head_dim;
      for (int64_t i = 0; i < half; ++i) {
        const float cosine = rounded<T>(c[i]);
        const float sine = sign * rounded<T>(s[i]);
        const float a = load(in[i]);
        const float b = load(in[i + half]);
        store(out[i], rounded<T>(a * cosine) - rounded<T>(b * sine));
        store(out[i + half], rounded<T>(b * cosine) + rounded<T>(a * sine));
      }
      for (int64_t i = shape.rotary_dim; i < shape.head_dim; ++i) out[i] = in[i];
    }
  }
}

template void rope<float>(
    const float*, int64_t, float*, const float*, const float*, float, const RopeShape&, int64_t, int64_t);
template void rope<BF16>(
    const BF16*, int64_t, BF16*, const float*, const float*, float, const RopeShape&, int64_t, int64_t);

}  // namespace automodel::kernels
