#include <limits>

#include "core/kernels/device.cuh"
#include "core/kernels/qkv_rope.h"
#include "core/kernels/rotate.cuh"

namespace automodel::kernels {
namespace {

constexpr int kHeadsABlock = 8;
constexpr int kThreads = 256;

/// The N pairs from pair i on, rotated from `in` to `out`.
template <class T, int N, bool kInterleaved>
__device__ void rotate_pairs(
    const T* in, T* out, const float* cos, const float* sin, float sign, int64_t i, int64_t half) {
  using V = Vector<T, N>;
  const auto cosines = *reinterpret_cast<const Vector<float, N>*>(cos + i);
  const auto sines = *reinterpret_cast<const Vector<float, N>*>(sin + i);
  V a, b;
  if constexpr (kInterleaved && N == 1) {
    a.at[0] = in[2 * i];
    b.at[0] = in[2 * i + 1];
    rotate<false>(a, b, cosines, sines, sign);
    out[2 * i] = a.at[0];
    out[2 * i + 1] = b.at[0];
  } else if constexpr (kInterleaved) {
    auto both = *reinterpret_cast<const Vector<T, 2 * N>*>(in + 2 * i);
    for (int j = 0; j < N; ++j) {
      a.at[j] = both.at[2 * j];
      b.at[j] = both.at[2 * j + 1];
    }
    rotate<false>(a, b, cosines, sines, sign);
    for (int j = 0; j < N; ++j) {
      both.at[2 * j] = a.at[j];
      both.at[2 * j + 1] = b.at[j];
    }
    *reinterpret_cast<Vector<T, 2 * N>*>(out + 2 * i) = both;
  } else {
    a = *reinterpret_cast<const V*>(in + i);
    b = *reinterpret_cast<const V*>(in + i + half);
    rotate<true>(a, b, cosines, sines, sign);
    *reinterpret_cast<V*>(out + i) = a;
    *reinterpret_cast<V*>(out + i + half) = b;
  }
}

/// One warp a head; N neighbouring pairs at a time.
template <class T, int N, bool kInterleaved>
__global__ void qkv_rope_kernel(HeadRows<const T> q,
                                HeadRows<const T> k,
                                HeadRows<const T> v,
                                T* y,
                                const float* cos,
                                const float* sin,
                                float sign,
                                QkvRopeShape shape,
                                int64_t rows) {
  using V = Vector<T, N>;
  const int64_t heads = shape.q_heads + 2 * shape.kv_heads;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * kHeadsABlock + threadIdx.y;
  if (at >= rows * heads) return;
  const int64_t row = at / heads;
  const int64_t head = at % heads;
  const int64_t d = shape.head_dim;
  const bool is_q = head < shape.q_heads;
  const bool is_v = head >= shape.q_heads + shape.kv_heads;
  const T* in = is_q    ? q.data + row * q.stride + head * d
                : !is_v ? k.data + row * k.stride + (head - shape.q_heads) * d
                        : v.data + row * v.stride + (head - shape.q_heads - shape.kv_heads) * d;
  T* out = y + at * d;
  const int64_t rotary = is_v ? 0 : shape.rotary_dim;
  const int64_t first = is_v ? 0 : shape.first_dim;
  const int64_t half = rotary / 2;
  const int64_t table = (row % shape.positions) * half;
  for (int64_t i = threadIdx.x * N; i < half; i += kWarp * N)
    rotate_pairs<T, N, kInterleaved>(in + first, out + first, cos + table, sin + table, sign, i, half);
  for (int64_t i = threadIdx.x * N; i < first; i += kWarp * N)
    *reinterpret_cast<V*>(out + i) = *reinterpret_cast<const V*>(in + i);
  for (int64_t i = first + rotary + threadIdx.x * N; i < d; i += kWarp * N)
    *reinterpret_cast<V*>(out + i) = *reinterpret_cast<const V*>(in + i);
}

/// The same for heads that rotate whole, by halves: one thread a vector of pairs, neighbouring threads
/// neighbouring vectors.
template <class T>
__global__ void whole_heads_kernel(HeadRows<const T> q,
                                   HeadRows<const T> k,
                                   HeadRows<const T> v,
                                   T* y,
                                   const float* cos,
                                   const float* sin,
                                   float sign,
                                   QkvRopeShape shape,
                                   unsigned total) {
  constexpr int N = kVectorWidth<T>;
  using V = Vector<T, N>;
  const unsigned thread = blockIdx.x * kThreads + threadIdx.x;
  if (thread >= total) return;
  const auto d = static_cast<unsigned>(shape.head_dim);
  const unsigned half = d / 2;
  const auto heads = static_cast<unsigned>(shape.q_heads + 2 * shape.kv_heads);
  const unsigned vectors = half / N;
  const unsigned at = thread / vectors;
  const unsigned i = (thread - at * vectors) * N;
  const unsigned row = at / heads;
  const unsigned head = at - row * heads;
  const auto first_k = static_cast<unsigned>(shape.q_heads);
  const auto first_v = static_cast<unsigned>(shape.q_heads + shape.kv_heads);
  const T* in = head < first_k   ? q.data + row * q.stride + head * d
                : head < first_v ? k.data + row * k.stride + (head - first_k) * d
                                 : v.data + row * v.stride + (head - first_v) * d;
  V a = *reinterpret_cast<const V*>(in + i);
  V b = *reinterpret_cast<const V*>(in + i + half);
  if (head < first_v) {
    const int64_t table = (row % shape.positions) * half + i;
    rotate<true>(a,
                 b,
                 *reinterpret_cast<const Vector<float, N>*>(cos + table),
                 *reinterpret_cast<const Vector<float, N>*>(sin + table),
                 sign);
  }
  T* out = y + static_cast<int64_t>(at) * d + i;
  *reinterpret_cast<V*>(out) = a;
  *reinterpret_cast<V*>(out + half) = b;
}

template <class T>
bool is_vectorizable(const HeadRows<const void>& rows) {
  return rows.stride % kVectorWidth<T> == 0 && reinterpret_cast<uintptr_t>(rows.data) % 16 == 0;
}

template <class T>
HeadRows<const T> typed(HeadRows<const void> rows) {
  return {static_cast<const T*>(rows.data), rows.stride};
}

template <class T>
bool is_pairwise(const HeadRows<const void>& rows) {
  return rows.stride % 2 == 0 && reinterpret_cast<uintptr_t>(rows.data) % (2 * sizeof(T)) == 0;
}

template <class T>
bool is_by_fours(const HeadRows<const void>& rows) {
  return rows.stride % 4 == 0 && reinterpret_cast<uintptr_t>(rows.data) % (4 * sizeof(T)) == 0;
}

}  // namespace

void qkv_rope_cuda(const QkvRopeArgs& args) {
  const auto& [element, q, k, v, y, cos, sin, sign, shape, rows, stream] = args;
  const int64_t total = rows * (shape.q_heads + 2 * shape.kv_heads);
  if (total == 0) return;
  const dim3 block(kWarp, kHeadsABlock);
  const auto blocks = static_cast<unsigned>(ceil_div(total, kHeadsABlock));
  with_device_element(element, [&]<class T>(T) {
    const int64_t vectors = total * (shape.head_dim / 2 / kVectorWidth<T>);
    const bool whole = shape.rotary_dim == shape.head_dim && !shape.interleaved &&
                       shape.head_dim % (2 * kVectorWidth<T>) == 0 && is_vectorizable<T>(q) &&
                       is_vectorizable<T>(k) && is_vectorizable<T>(v) &&
                       vectors < std::numeric_limits<int32_t>::max();
    if (whole) {
      whole_heads_kernel<T><<<static_cast<unsigned>(ceil_div(vectors, kThreads)),
                              kThreads,
                              0,
                              static_cast<cudaStream_t>(stream)>>>(typed<T>(q),
                                                                   typed<T>(k),
                                                                   typed<T>(v),
                                                                   static_cast<T*>(y),
                                                                   cos,
                                                                   sin,
                                                                   sign,
                                                                   shape,
                                                                   static_cast<unsigned>(vectors));
      return;
    }
    const bool pairs = shape.rotary_dim % 4 == 0 && shape.first_dim % 2 == 0 && shape.head_dim % 2 == 0 &&
                       is_pairwise<T>(q) && is_pairwise<T>(k) && is_pairwise<T>(v);
    // Two interleaved pairs are one access of four elements.
    const bool fours = shape.first_dim % 4 == 0 && shape.head_dim % 4 == 0 && is_by_fours<T>(q) &&
                       is_by_fours<T>(k) && is_by_fours<T>(v);
    const auto kernel = shape.interleaved
                            ? (pairs && fours ? qkv_rope_kernel<T, 2, true> : qkv_rope_kernel<T, 1, true>)
                            : (pairs ? qkv_rope_kernel<T, 2, false> : qkv_rope_kernel<T, 1, false>);
    kernel<<<blocks, block, 0, static_cast<cudaStream_t>(stream)>>>(
        typed<T>(q), typed<T>(k), typed<T>(v), static_cast<T*>(y), cos, sin, sign, shape, rows);
  });
  check_launch("qkv_rope");
}

}  // namespace automodel::kernels
