#include <algorithm>

#include "core/kernels/qkv_rope.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {
namespace {

/// Pairs of dims `apart`, from pair to pair `step`. `kRounds`: angles and products to the element type.
template <class T, bool kRounds>
void rotate_pairs(const T* in,
                  T* out,
                  const float* cos,
                  const float* sin,
                  float sign,
                  int64_t pairs,
                  int64_t apart,
                  int64_t step) {
  for (int64_t i = 0; i < pairs; ++i) {
    const auto kept = [](Compute<T> x) { return kRounds ? rounded<T>(x) : x; };
    const Compute<T> cosine = kept(cos[i]);
    const Compute<T> sine = sign * kept(sin[i]);
    const Compute<T> a = load(in[i * step]);
    const Compute<T> b = load(in[i * step + apart]);
    store(out[i * step], kept(a * cosine) - kept(b * sine));
    store(out[i * step + apart], kept(b * cosine) + kept(a * sine));
  }
}

template <class T>
void rotate_head(
    const T* in, T* out, const float* cos, const float* sin, float sign, const QkvRopeShape& shape) {
  const int64_t half = shape.rotary_dim / 2;
  const int64_t first = shape.first_dim;
  const int64_t last = first + shape.rotary_dim;
  std::copy(in, in + first, out);
  // Constants, so that each becomes a loop of its own.
  if (shape.interleaved) {
    rotate_pairs<T, false>(in + first, out + first, cos, sin, sign, half, 1, 2);
  } else {
    rotate_pairs<T, true>(in + first, out + first, cos, sin, sign, half, half, 1);
  }
  std::copy(in + last, in + shape.head_dim, out + last);
}

}  // namespace

template <class T>
AUTOMODEL_VECTORISED void qkv_rope(HeadRows<const T> q,
                                   HeadRows<const T> k,
                                   HeadRows<const T> v,
                                   T* y,
                                   const float* cos,
                                   const float* sin,
                                   float sign,
                                   const QkvRopeShape& shape,
                                   int64_t begin,
                                   int64_t end) {
  const int64_t half = shape.rotary_dim / 2;
  const int64_t d = shape.head_dim;
  for (int64_t r = begin; r < end; ++r) {
    const float* c = cos + (r % shape.positions) * half;
    const float* s = sin + (r % shape.positions) * half;
    T* out = y + r * (shape.q_heads + 2 * shape.kv_heads) * d;
    for (int64_t n = 0; n < shape.q_heads; ++n, out += d)
      rotate_head(q.data + r * q.stride + n * d, out, c, s, sign, shape);
    for (int64_t n = 0; n < shape.kv_heads; ++n, out += d)
      rotate_head(k.data + r * k.stride + n * d, out, c, s, sign, shape);
    if (shape.kv_heads > 0) std::copy_n(v.data + r * v.stride, shape.kv_heads * d, out);
  }
}

#define AUTOMODEL_INSTANTIATE(T)                 \
  template void qkv_rope<T>(HeadRows<const T>,   \
                            HeadRows<const T>,   \
                            HeadRows<const T>,   \
                            T*,                  \
                            const float*,        \
                            const float*,        \
                            float,               \
                            const QkvRopeShape&, \
                            int64_t,             \
                            int64_t);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
