#include <cmath>

#include "core/kernels/cross_entropy.h"
#include "core/kernels/device.cuh"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / kWarp;

/// The largest of some numbers and the sum of their exponentials relative to it (Milakov & Gimelshein 2018,
/// arXiv:1805.02867).
struct MaxAndSum {
  float max = -INFINITY;
  float sum = 0;

  __device__ void add(float x) {
    if (x > max) {
      sum = sum * __expf(max - x) + 1.0f;
      max = x;
    } else if (max != -INFINITY) {
      sum += __expf(x - max);
    }
  }

  __device__ void add(const MaxAndSum& other) {
    const float larger = fmaxf(max, other.max);
    if (larger == -INFINITY) return;
    sum = sum * __expf(max - larger) + other.sum * __expf(other.max - larger);
    max = larger;
  }
};

__device__ MaxAndSum warp_reduce(MaxAndSum value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const MaxAndSum other{__shfl_xor_sync(0xffffffffu, value.max, offset),
                          __shfl_xor_sync(0xffffffffu, value.sum, offset)};
    value.add(other);
  }
  return value;
}

__device__ MaxAndSum block_reduce(MaxAndSum value) {
  __shared__ MaxAndSum of_warp[kWarps];
  value = warp_reduce(value);
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = value;
  __syncthreads();
  return warp_reduce(of_warp[threadIdx.x % kWarp]);
}

/// One block a row: one pass for the sum, one for the gradient.
template <class T, int N>
__global__ void __launch_bounds__(kThreads) cross_entropy_kernel(
    T* logits, const int64_t* targets, float* losses, int64_t vocabulary, float scale, bool gradient) {
  using V = Vector<T, N>;
  const int64_t row = blockIdx.x;
  T* values = logits + row * vocabulary;
  auto* vectors = reinterpret_cast<V*>(values);
  const int64_t target = targets[row];
  const float target_logit = load_element(values[target]);
  MaxAndSum mine;
  for (int64_t i = threadIdx.x; i < vocabulary / N; i += kThreads) {
    const V v = vectors[i];
    for (int j = 0; j < N; ++j) mine.add(load_element(v.at[j]));
  }
  // Its barrier also keeps the gradient from overwriting the target's logit before every thread has read it.
  const MaxAndSum all = block_reduce(mine);
  if (threadIdx.x == 0) losses[row] = all.max + logf(all.sum) - target_logit;
  if (!gradient) return;
  const float inverse = 1.0f / all.sum;
  for (int64_t i = threadIdx.x; i < vocabulary / N; i += kThreads) {
    V v = vectors[i];
    for (int j = 0; j < N; ++j) {
      const float p = __expf(load_element(v.at[j]) - all.max) * inverse;
      v.at[j] = to_element<T>((p - (i * N + j == target ? 1.0f : 0.0f)) * scale);
    }
    vectors[i] = v;
  }
}

}  // namespace

void cross_entropy_cuda(const CrossEntropyArgs& args) {
  const auto& [element, logits, targets, losses, rows, vocabulary, scale, gradient, stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    const auto kernel = is_vectorizable<T>(logits, vocabulary, vocabulary)
                            ? cross_entropy_kernel<T, kVectorWidth<T>>
                            : cross_entropy_kernel<T, 1>;
    kernel<<<static_cast<unsigned>(rows), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        static_cast<T*>(logits), targets, losses, vocabulary, scale, gradient);
  });
  check_launch("cross_entropy");
}

}  // namespace automodel::kernels
