#include "core/kernels/combine_rows.h"
#include "core/kernels/device.cuh"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 128;

/// Block (r, c): some vectors of one token's row.
template <class T, int N>
__global__ void __launch_bounds__(kThreads)
    combine_rows_kernel(const T* y, const int64_t* slots, const float* weights, T* out, int k, int64_t d) {
  using V = Vector<T, N>;
  const int64_t row = blockIdx.x;
  const int64_t column = (static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x) * N;
  if (column >= d) return;
  float sums[N] = {};
  for (int j = 0; j < k; ++j) {
    const V value = *reinterpret_cast<const V*>(y + slots[row * k + j] * d + column);
    const float weight = weights ? weights[row * k + j] : 1.0f;
#pragma unroll
    for (int i = 0; i < N; ++i) sums[i] += weight * load_element(value.at[i]);
  }
  V sum;
#pragma unroll
  for (int i = 0; i < N; ++i) sum.at[i] = to_element<T>(sums[i]);
  *reinterpret_cast<V*>(out + row * d + column) = sum;
}

template <class T, int N>
void launch(const void* y,
            const int64_t* slots,
            const float* weights,
            void* out,
            int64_t rows,
            int64_t k,
            int64_t d,
            void* stream) {
  const dim3 blocks(static_cast<unsigned>(rows), static_cast<unsigned>(ceil_div(d, int64_t{kThreads} * N)));
  combine_rows_kernel<T, N><<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      static_cast<const T*>(y), slots, weights, static_cast<T*>(out), static_cast<int>(k), d);
}

}  // namespace

void combine_rows_cuda(const CombineRowsArgs& args) {
  const auto& [element, y, slots, weights, out, rows, k, d, stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    if (is_vectorizable<T>(y, d, d) && is_vectorizable<T>(out, d, d)) {
      launch<T, kVectorWidth<T>>(y, slots, weights, out, rows, k, d, stream);
    } else {
      launch<T, 1>(y, slots, weights, out, rows, k, d, stream);
    }
  });
  check_launch("combine_rows");
}

}  // namespace automodel::kernels
