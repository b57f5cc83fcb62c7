#include "core/kernels/device.cuh"
#include "core/kernels/sum_squares.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 512;

__global__ void sum_squares_kernel(const float* x, int64_t n, double* parts) {
  __shared__ double of_warp[kThreads / kWarp];
  double total = 0;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t me = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const auto* vectors = reinterpret_cast<const float4*>(x);
  for (int64_t i = me; i < n / 4; i += step) {
    const float4 v = vectors[i];
    total += static_cast<double>(v.x) * v.x + static_cast<double>(v.y) * v.y +
             static_cast<double>(v.z) * v.z + static_cast<double>(v.w) * v.w;
  }
  const int64_t tail = n / 4 * 4 + me;
  if (tail < n) total += static_cast<double>(x[tail]) * x[tail];
  for (int offset = kWarp / 2; offset > 0; offset /= 2) total += __shfl_xor_sync(0xffffffffu, total, offset);
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = total;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double sum = 0;
  for (const double part : of_warp) sum += part;
  parts[blockIdx.x] = sum;
}

}  // namespace

void sum_squares_cuda(const float* x, int64_t n, double* parts, void* stream) {
  sum_squares_kernel<<<static_cast<unsigned>(kSumSquaresParts),
                       kThreads,
                       0,
                       static_cast<cudaStream_t>(stream)>>>(x, n, parts);
  check_launch("sum_squares");
}

}  // namespace automodel::kernels
