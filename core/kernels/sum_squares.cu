#include "core/kernels/device.cuh"
#include "core/kernels/sum_squares.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 512;

template <class T>
__global__ void sum_squares_kernel(const T* x, int64_t n, double* parts) {
  constexpr int N = kVectorWidth<T>;
  __shared__ double of_warp[kThreads / kWarp];
  double total = 0;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t me = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  for (int64_t i = me; i < n / N; i += step) {
    const auto vector = load_streaming<Vector<T, N>>(x + i * N);
    for (int j = 0; j < N; ++j) {
      const double value = load_element(vector.at[j]);
      total += value * value;
    }
  }
  const int64_t tail = n / N * N + me;
  if (tail < n) {
    const double value = load_element(x[tail]);
    total += value * value;
  }
  for (int offset = kWarp / 2; offset > 0; offset /= 2) total += __shfl_xor_sync(0xffffffffu, total, offset);
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = total;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double sum = 0;
  for (const double part : of_warp) sum += part;
  parts[blockIdx.x] = sum;
}

}  // namespace

void sum_squares_cuda(Element type, const void* x, int64_t n, double* parts, void* stream) {
  with_device_element(type, [&]<class T>(T) {
    sum_squares_kernel<<<static_cast<unsigned>(kSumSquaresParts),
                         kThreads,
                         0,
                         static_cast<cudaStream_t>(stream)>>>(static_cast<const T*>(x), n, parts);
  });
  check_launch("sum_squares");
}

}  // namespace automodel::kernels
