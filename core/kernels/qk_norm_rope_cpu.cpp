#include <algorithm>
#include <vector>

#include "core/kernels/qk_norm_rope.h"
#include "core/kernels/rms_norm.h"

namespace automodel::kernels {
namespace {

/// Angles of one row, and the shape that says so.
struct RowAngles {
  RowAngles(const float* all_cos, const float* all_sin, const QkvRopeShape& all, int64_t row)
      : cos(all_cos + row % all.positions * (all.rotary_dim / 2)),
        sin(all_sin + row % all.positions * (all.rotary_dim / 2)),
        shape(all) {
    shape.positions = 1;
  }

  const float* cos;
  const float* sin;
  QkvRopeShape shape;
};

template <class T>
void normalise(const T* x, const HeadNorm<T>& norm, Compute<T>* rstd, T* y, int64_t heads, int64_t d) {
  rms_norm_stats(x, d, rstd, heads, d, static_cast<Compute<T>>(norm.eps));
  rms_norm_apply(x, d, rstd, norm.weight, static_cast<Compute<T>>(norm.offset), y, heads, d);
}

template <class T>
void denormalise(const T* dy,
                 const T* x,
                 const HeadNorm<T>& norm,
                 const Compute<T>* rstd,
                 T* dx,
                 Compute<T>* dweight,
                 int64_t heads,
                 int64_t d) {
  rms_norm_backward(dy, x, d, rstd, norm.weight, static_cast<Compute<T>>(norm.offset), dx, dweight, heads, d);
}

}  // namespace

template <class T>
void qk_norm_rope(const T* qkv,
                  const HeadNorm<T>& q_norm,
                  const HeadNorm<T>& k_norm,
                  const float* cos,
                  const float* sin,
                  T* y,
                  Compute<T>* rstd,
                  const QkvRopeShape& shape,
                  int64_t begin,
                  int64_t end) {
  const int64_t d = shape.head_dim;
  const int64_t first_k = shape.q_heads * d;
  const int64_t first_v = first_k + shape.kv_heads * d;
  const int64_t width = first_v + shape.kv_heads * d;
  std::vector<T> normed(static_cast<size_t>(first_v));
  for (int64_t r = begin; r < end; ++r) {
    const T* x = qkv + r * width;
    Compute<T>* scale = rstd + r * (shape.q_heads + shape.kv_heads);
    normalise(x, q_norm, scale, normed.data(), shape.q_heads, d);
    normalise(x + first_k, k_norm, scale + shape.q_heads, normed.data() + first_k, shape.kv_heads, d);
    const RowAngles angles(cos, sin, shape, r);
    qkv_rope<T>({normed.data(), 0},
                {normed.data() + first_k, 0},
                {x + first_v, 0},
                y + r * width,
                angles.cos,
                angles.sin,
                1,
                angles.shape,
                0,
                1);
  }
}

template <class T>
void qk_norm_rope_backward(HeadRows<const T> dq,
                           HeadRows<const T> dk,
                           HeadRows<const T> dv,
                           const T* qkv,
                           const Compute<T>* rstd,
                           const HeadNorm<T>& q_norm,
                           const HeadNorm<T>& k_norm,
                           const float* cos,
                           const float* sin,
                           T* dqkv,
                           Compute<T>* dq_norm,
                           Compute<T>* dk_norm,
                           const QkvRopeShape& shape,
                           int64_t begin,
                           int64_t end) {
  const int64_t d = shape.head_dim;
  const int64_t first_k = shape.q_heads * d;
  const int64_t first_v = first_k + shape.kv_heads * d;
  const int64_t width = first_v + shape.kv_heads * d;
  std::vector<T> turned(static_cast<size_t>(width));
  for (int64_t r = begin; r < end; ++r) {
    const T* x = qkv + r * width;
    T* dx = dqkv + r * width;
    const Compute<T>* scale = rstd + r * (shape.q_heads + shape.kv_heads);
    const RowAngles angles(cos, sin, shape, r);
    qkv_rope<T>({dq.data + r * dq.stride, 0},
                {dk.data + r * dk.stride, 0},
                {dv.data + r * dv.stride, 0},
                turned.data(),
                angles.cos,
                angles.sin,
                -1,
                angles.shape,
                0,
                1);
    denormalise(turned.data(), x, q_norm, scale, dx, dq_norm, shape.q_heads, d);
    denormalise(turned.data() + first_k,
                x + first_k,
                k_norm,
                scale + shape.q_heads,
                dx + first_k,
                dk_norm,
                shape.kv_heads,
                d);
    std::copy(turned.begin() + first_v, turned.end(), dx + first_v);
  }
}

#define AUTOMODEL_INSTANTIATE(T)                              \
  template void qk_norm_rope<T>(const T*,                     \
                                const HeadNorm<T>&,           \
                                const HeadNorm<T>&,           \
                                const float*,                 \
                                const float*,                 \
                                T*,                           \
                                Compute<T>*,                  \
                                const QkvRopeShape&,          \
                                int64_t,                      \
                                int64_t);                     \
  template void qk_norm_rope_backward<T>(HeadRows<const T>,   \
                                         HeadRows<const T>,   \
                                         HeadRows<const T>,   \
                                         const T*,            \
                                         const Compute<T>*,   \
                                         const HeadNorm<T>&,  \
                                         const HeadNorm<T>&,  \
                                         const float*,        \
                                         const float*,        \
                                         T*,                  \
                                         Compute<T>*,         \
                                         Compute<T>*,         \
                                         const QkvRopeShape&, \
                                         int64_t,             \
                                         int64_t);
AUTOMODEL_INSTANTIATE(float)
AUTOMODEL_INSTANTIATE(BF16)
AUTOMODEL_INSTANTIATE(double)
#undef AUTOMODEL_INSTANTIATE

}  // namespace automodel::kernels
