#include <algorithm>
#include <limits>
#include <numeric>

#include "core/kernels/norm_scale.cuh"
#include "core/kernels/qk_norm_rope.h"
#include "core/kernels/rotate.cuh"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksASm = 3;  ///< of the backward: what its registers are bounded for
constexpr int64_t kBackwardBlocks = 132 * 2 * kBlocksASm;

/// A head belongs to `lanes` neighbouring threads; each holds a vector of its lower half and the one of its
/// upper half that turns with it.
template <class T>
struct Layout {
  explicit Layout(const QkvRopeShape& shape)
      : d(static_cast<int>(shape.head_dim)),
        half(d / 2),
        lanes(half / kVectorWidth<T>),
        q_heads(static_cast<int>(shape.q_heads)),
        normed_heads(static_cast<int>(shape.q_heads + shape.kv_heads)),
        heads(static_cast<int>(shape.q_heads + 2 * shape.kv_heads)),
        positions(static_cast<unsigned>(shape.positions)) {}

  int d, half, lanes, q_heads, normed_heads, heads;
  unsigned positions;
};

template <class T>
struct Norms {
  Norms(const HeadNorm<void>& q_norm, const HeadNorm<void>& k_norm)
      : q_weight(static_cast<const T*>(q_norm.weight)),
        k_weight(static_cast<const T*>(k_norm.weight)),
        q_eps(static_cast<float>(q_norm.eps)),
        k_eps(static_cast<float>(k_norm.eps)),
        q_offset(static_cast<float>(q_norm.offset)),
        k_offset(static_cast<float>(k_norm.offset)) {}

  const T* q_weight;
  const T* k_weight;
  float q_eps, k_eps, q_offset, k_offset;
};

/// Sum over the threads of a head, given to all of them.
__device__ float head_sum(float x, int lanes) {
  for (int offset = lanes / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  return x;
}

template <class T>
__global__ void __launch_bounds__(kThreads) forward_kernel(const T* qkv,
                                                           Norms<T> norms,
                                                           const float* cos,
                                                           const float* sin,
                                                           T* y,
                                                           float* rstd,
                                                           Layout<T> layout,
                                                           unsigned total) {
  constexpr int N = kVectorWidth<T>;
  using V = Vector<T, N>;
  const unsigned thread = blockIdx.x * kThreads + threadIdx.x;
  const auto lanes = static_cast<unsigned>(layout.lanes);
  const auto heads = static_cast<unsigned>(layout.heads);
  // All threads of a warp take part in its sums.
  const bool inside = thread < total * lanes;
  const unsigned at = inside ? thread / lanes : 0;
  const int lane = static_cast<int>(thread % lanes);
  const unsigned row = at / heads;
  const int head = static_cast<int>(at - row * heads);
  const int i = lane * N;
  const int64_t first = static_cast<int64_t>(at) * layout.d + i;
  const T* in = qkv + first;
  V a = *reinterpret_cast<const V*>(in);
  V b = *reinterpret_cast<const V*>(in + layout.half);
  float squares = 0;
  for (int j = 0; j < N; ++j) {
    squares += load_element(a.at[j]) * load_element(a.at[j]);
    squares += load_element(b.at[j]) * load_element(b.at[j]);
  }
  squares = head_sum(squares, layout.lanes);
  if (!inside) return;
  if (head < layout.normed_heads) {
    const bool is_q = head < layout.q_heads;
    const float eps = is_q ? norms.q_eps : norms.k_eps;
    const float offset = is_q ? norms.q_offset : norms.k_offset;
    const T* weight = (is_q ? norms.q_weight : norms.k_weight) + i;
    const float scale = 1.0f / sqrtf(squares / static_cast<float>(layout.d) + eps);
    if (lane == 0) rstd[static_cast<int64_t>(row) * layout.normed_heads + head] = scale;
    const V wa = *reinterpret_cast<const V*>(weight);
    const V wb = *reinterpret_cast<const V*>(weight + layout.half);
    for (int j = 0; j < N; ++j) {
      a.at[j] = scaled<T>(load_element(a.at[j]) * scale, load_element(wa.at[j]), offset);
      b.at[j] = scaled<T>(load_element(b.at[j]) * scale, load_element(wb.at[j]), offset);
    }
    const int64_t table = static_cast<int64_t>(row % layout.positions) * layout.half + i;
    rotate<true>(a,
                 b,
                 *reinterpret_cast<const Vector<float, N>*>(cos + table),
                 *reinterpret_cast<const Vector<float, N>*>(sin + table),
                 1.0f);
  }
  T* out = y + first;
  *reinterpret_cast<V*>(out) = a;
  *reinterpret_cast<V*>(out + layout.half) = b;
}

/// Adds what a block's heads sum to its part: every column of q's norm, then of k's, in the order of heads.
template <int N>
__device__ void give_parts(const float (&lower)[N],
                           const float (&upper)[N],
                           float* shared,
                           float* parts,
                           int head,
                           int lanes,
                           int half,
                           int q_heads,
                           int normed_heads) {
  const int d = 2 * half;
  const int slot = static_cast<int>(threadIdx.x) / lanes;
  const int i = static_cast<int>(threadIdx.x) % lanes * N;
  const int slots = kThreads / lanes;
  // 0: of q; 1: of k; 2: of v, which has no norm.
  int* kinds = reinterpret_cast<int*>(shared + slots * d);
  for (int j = 0; j < N; ++j) {
    shared[slot * d + i + j] = lower[j];
    shared[slot * d + half + i + j] = upper[j];
  }
  if (i == 0) kinds[slot] = head < q_heads ? 0 : head < normed_heads ? 1 : 2;
  __syncthreads();
  for (int column = static_cast<int>(threadIdx.x); column < 2 * d; column += kThreads) {
    float sum = 0;
    for (int s = 0; s < slots; ++s) sum += kinds[s] == column / d ? shared[s * d + column % d] : 0.0f;
    parts[static_cast<int64_t>(blockIdx.x) * 2 * d + column] = sum;
  }
}

/// The number of slots in the grid is a multiple of the number of heads: a slot keeps its head from row to
/// row, and its share of the norm's gradient in registers.
template <class T>
__global__ void __launch_bounds__(kThreads, kBlocksASm) backward_kernel(HeadRows<const T> dq,
                                                                        HeadRows<const T> dk,
                                                                        HeadRows<const T> dv,
                                                                        const T* qkv,
                                                                        const float* rstd,
                                                                        Norms<T> norms,
                                                                        const float* cos,
                                                                        const float* sin,
                                                                        T* dqkv,
                                                                        float* parts,
                                                                        Layout<T> layout,
                                                                        unsigned rows) {
  constexpr int N = kVectorWidth<T>;
  using V = Vector<T, N>;
  extern __shared__ float shared[];
  const unsigned slots_per_block = kThreads / static_cast<unsigned>(layout.lanes);
  const unsigned slot = blockIdx.x * slots_per_block + threadIdx.x / static_cast<unsigned>(layout.lanes);
  const auto heads = static_cast<unsigned>(layout.heads);
  const int i = static_cast<int>(threadIdx.x) % layout.lanes * N;
  const int head = static_cast<int>(slot % heads);
  const unsigned step = gridDim.x * slots_per_block / heads;
  const bool is_q = head < layout.q_heads;
  const bool is_v = head >= layout.normed_heads;
  const float offset = is_q ? norms.q_offset : norms.k_offset;
  const HeadRows<const T> grads = is_q ? dq : is_v ? dv : dk;
  const int head_of_grads = is_q ? head : is_v ? head - layout.normed_heads : head - layout.q_heads;
  const T* weight = (is_q ? norms.q_weight : norms.k_weight) + i;
  const V wa = *reinterpret_cast<const V*>(weight);
  const V wb = *reinterpret_cast<const V*>(weight + layout.half);
  float lower[N] = {}, upper[N] = {};
  // The same number of turns for all threads of a warp, which take part in its sums.
  const unsigned turns = (rows + step - 1) / step;
  for (unsigned turn = 0; turn < turns; ++turn) {
    const unsigned row = slot / heads + turn * step;
    const bool inside = row < rows;
    V ga{}, gb{}, xa{}, xb{};
    float scale = 0, dot = 0;
    const int64_t at = (static_cast<int64_t>(row) * layout.heads + head) * layout.d + i;
    if (inside) {
      const T* grad = grads.data + row * grads.stride + head_of_grads * layout.d + i;
      ga = *reinterpret_cast<const V*>(grad);
      gb = *reinterpret_cast<const V*>(grad + layout.half);
    }
    if (inside && !is_v) {
      xa = *reinterpret_cast<const V*>(qkv + at);
      xb = *reinterpret_cast<const V*>(qkv + at + layout.half);
      scale = rstd[static_cast<int64_t>(row) * layout.normed_heads + head];
      const int64_t table = static_cast<int64_t>(row % layout.positions) * layout.half + i;
      rotate<true>(ga,
                   gb,
                   *reinterpret_cast<const Vector<float, N>*>(cos + table),
                   *reinterpret_cast<const Vector<float, N>*>(sin + table),
                   -1.0f);
      for (int j = 0; j < N; ++j) {
        dot += load_element(ga.at[j]) * (load_element(wa.at[j]) + offset) * load_element(xa.at[j]) * scale;
        dot += load_element(gb.at[j]) * (load_element(wb.at[j]) + offset) * load_element(xb.at[j]) * scale;
      }
    }
    const float mean = head_sum(dot, layout.lanes) / static_cast<float>(layout.d);
    if (!inside) continue;
    if (!is_v) {
      for (int j = 0; j < N; ++j) {
        const float na = load_element(xa.at[j]) * scale, nb = load_element(xb.at[j]) * scale;
        const float da = load_element(ga.at[j]), db = load_element(gb.at[j]);
        lower[j] += da * round_element<T>(na);
        upper[j] += db * round_element<T>(nb);
        ga.at[j] = to_element<T>(scale * (da * (load_element(wa.at[j]) + offset) - na * mean));
        gb.at[j] = to_element<T>(scale * (db * (load_element(wb.at[j]) + offset) - nb * mean));
      }
    }
    *reinterpret_cast<V*>(dqkv + at) = ga;
    *reinterpret_cast<V*>(dqkv + at + layout.half) = gb;
  }
  if (parts == nullptr) return;
  give_parts(
      lower, upper, shared, parts, head, layout.lanes, layout.half, layout.q_heads, layout.normed_heads);
}

/// Blocks of the backward: enough for the rows, at most kBackwardBlocks or so, their slots a multiple of the
/// heads.
template <class T>
int64_t backward_blocks(const Layout<T>& layout, int64_t rows) {
  const int64_t slots_per_block = kThreads / layout.lanes;
  const int64_t unit = layout.heads / std::gcd<int64_t>(layout.heads, slots_per_block);
  const int64_t wanted = std::min<int64_t>(kBackwardBlocks, ceil_div(rows * layout.heads, slots_per_block));
  return ceil_div(wanted, unit) * unit;
}

/// Threads are counted in 32 bits.
void check_size(int64_t threads) {
  check(threads < std::numeric_limits<int32_t>::max(),
        ErrorCode::kUnsupported,
        "qk_norm_rope: heads of a micro-batch for ",
        threads,
        " threads; make step_scheduler.local_batch_size smaller");
}

}  // namespace

void qk_norm_rope_cuda(const QkNormRopeArgs& args) {
  const auto& [element, qkv, q_norm, k_norm, cos, sin, y, rstd, shape, rows, stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    const Layout<T> layout(shape);
    const int64_t total = rows * layout.heads;
    check_size(total * layout.lanes);
    const auto blocks = static_cast<unsigned>(ceil_div(total * layout.lanes, kThreads));
    forward_kernel<T>
        <<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(static_cast<const T*>(qkv),
                                                                     Norms<T>(q_norm, k_norm),
                                                                     cos,
                                                                     sin,
                                                                     static_cast<T*>(y),
                                                                     rstd,
                                                                     layout,
                                                                     static_cast<unsigned>(total));
  });
  check_launch("qk_norm_rope");
}

int64_t qk_norm_rope_parts_cuda(Element element, const QkvRopeShape& shape, int64_t rows) {
  int64_t blocks = 0;
  with_device_element(element, [&]<class T>(T) { blocks = backward_blocks(Layout<T>(shape), rows); });
  return blocks;
}

void qk_norm_rope_backward_cuda(const QkNormRopeBackwardArgs& args) {
  const auto& [element,
               dq,
               dk,
               dv,
               qkv,
               rstd,
               q_norm,
               k_norm,
               cos,
               sin,
               dqkv,
               dnorm_parts,
               shape,
               rows,
               stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    const Layout<T> layout(shape);
    check_size(rows * layout.heads * layout.lanes);
    const auto typed = [](const HeadRows<const void>& heads) {
      return HeadRows<const T>{static_cast<const T*>(heads.data), heads.stride};
    };
    const size_t slots = static_cast<size_t>(kThreads / layout.lanes);
    const size_t shared_bytes = slots * (static_cast<size_t>(layout.d) * sizeof(float) + sizeof(int));
    backward_kernel<T><<<static_cast<unsigned>(backward_blocks(layout, rows)),
                         kThreads,
                         dnorm_parts != nullptr ? shared_bytes : 0,
                         static_cast<cudaStream_t>(stream)>>>(typed(dq),
                                                              typed(dk),
                                                              typed(dv),
                                                              static_cast<const T*>(qkv),
                                                              rstd,
                                                              Norms<T>(q_norm, k_norm),
                                                              cos,
                                                              sin,
                                                              static_cast<T*>(dqkv),
                                                              dnorm_parts,
                                                              layout,
                                                              static_cast<unsigned>(rows));
  });
  check_launch("qk_norm_rope_backward");
}

}  // namespace automodel::kernels
