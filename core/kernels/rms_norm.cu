#include <algorithm>

#include "core/kernels/device.cuh"
#include "core/kernels/norm_scale.cuh"
#include "core/kernels/rms_norm.h"

namespace automodel::kernels {
namespace {

constexpr int kMaxThreadsARow = 1024;
constexpr int kThreadsABlock = 128;  ///< at least: short rows share a block
constexpr int kMaxSteps = 8;         ///< vectors of a row that one thread may own in the backward
constexpr int64_t kBackwardBlocks = 132 * 4;

/// A row belongs to blockDim.x threads, blockDim.y rows share a block.
dim3 block_shape(int64_t d, int vector_width) {
  const int64_t vectors = ceil_div(d, vector_width);
  const auto x = static_cast<unsigned>(std::min<int64_t>(kMaxThreadsARow, ceil_div(vectors, kWarp) * kWarp));
  // Longer rows than a warp synchronise: one row a block.
  const unsigned y = x == kWarp ? kThreadsABlock / kWarp : 1;
  return {x, y};
}

/// a + b of the vectors, rounded to the element type.
template <class T, int N>
__device__ Vector<T, N> add(Vector<T, N> a, const Vector<T, N>& b) {
  for (int j = 0; j < N; ++j) a.at[j] = to_element<T>(load_element(a.at[j]) + load_element(b.at[j]));
  return a;
}

/// kAdds: y is of x + addend, which is written to `sum`.
template <class T, int N, bool kAdds>
__global__ void forward_kernel(const T* x,
                               int64_t x_stride,
                               const T* addend,
                               T* sum,
                               const T* weight,
                               float offset,
                               T* y,
                               float* rstd,
                               int64_t rows,
                               int64_t d,
                               float eps) {
  __shared__ float shared[kMaxThreadsARow / kWarp];
  const int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (row >= rows) return;  // whole warps: rows share a block only when a row is a warp
  using V = Vector<T, N>;
  const auto* in = reinterpret_cast<const V*>(x + row * x_stride);
  const int64_t vectors = d / N;
  float squares = 0;
  for (int64_t i = threadIdx.x; i < vectors; i += blockDim.x) {
    V v = in[i];
    if constexpr (kAdds) {
      v = add(v, reinterpret_cast<const V*>(addend + row * d)[i]);
      reinterpret_cast<V*>(sum + row * d)[i] = v;
    }
    for (int j = 0; j < N; ++j) squares += load_element(v.at[j]) * load_element(v.at[j]);
  }
  // Each thread reads again what it wrote itself.
  if constexpr (kAdds) in = reinterpret_cast<const V*>(sum + row * d);
  squares = row_sum(squares, shared);
  const float scale = 1.0f / sqrtf(squares / static_cast<float>(d) + eps);
  if (threadIdx.x == 0) rstd[row] = scale;
  auto* out = reinterpret_cast<V*>(y + row * d);
  for (int64_t i = threadIdx.x; i < vectors; i += blockDim.x) {
    V v = in[i];
    const V w = reinterpret_cast<const V*>(weight)[i];
    for (int j = 0; j < N; ++j)
      v.at[j] = scaled<T>(load_element(v.at[j]) * scale, load_element(w.at[j]), offset);
    out[i] = v;
  }
}

template <class T, int N>
__global__ void apply_kernel(const T* x,
                             int64_t x_stride,
                             const float* rstd,
                             const T* weight,
                             float offset,
                             T* y,
                             int64_t rows,
                             int64_t d) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  using V = Vector<T, N>;
  const auto* in = reinterpret_cast<const V*>(x + row * x_stride);
  auto* out = reinterpret_cast<V*>(y + row * d);
  const float scale = rstd[row];
  for (int64_t i = threadIdx.x; i < d / N; i += blockDim.x) {
    V v = in[i];
    const V w = reinterpret_cast<const V*>(weight)[i];
    for (int j = 0; j < N; ++j)
      v.at[j] = scaled<T>(load_element(v.at[j]) * scale, load_element(w.at[j]), offset);
    out[i] = v;
  }
}

/// A fixed number of blocks walks the rows; each thread owns columns and sums their weight gradient.
template <class T, int N, int kSteps>
__global__ void __launch_bounds__(kMaxThreadsARow) backward_kernel(const T* dy,
                                                                   const T* x,
                                                                   int64_t x_stride,
                                                                   const float* rstd,
                                                                   const T* weight,
                                                                   float offset,
                                                                   const T* residual,
                                                                   T* dx,
                                                                   float* dweight_parts,
                                                                   int64_t rows,
                                                                   int64_t d) {
  __shared__ float shared[kMaxThreadsARow / kWarp];
  using V = Vector<T, N>;
  const int64_t vectors = d / N;
  const int64_t slot = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  const int64_t slots = static_cast<int64_t>(gridDim.x) * blockDim.y;
  float dweight[kSteps][N] = {};
  for (int64_t row = slot; row < rows; row += slots) {
    const float scale = rstd[row];
    const auto* in = reinterpret_cast<const V*>(x + row * x_stride);
    const auto* grad = reinterpret_cast<const V*>(dy + row * d);
    V vx[kSteps], vdy[kSteps];
    float dot = 0;
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
      const int64_t i = threadIdx.x + static_cast<int64_t>(s) * blockDim.x;
      if (i >= vectors) continue;
      vx[s] = in[i];
      vdy[s] = grad[i];
      const V w = reinterpret_cast<const V*>(weight)[i];
      for (int j = 0; j < N; ++j)
        dot +=
            load_element(vdy[s].at[j]) * (load_element(w.at[j]) + offset) * load_element(vx[s].at[j]) * scale;
    }
    const float mean = row_sum(dot, shared) / static_cast<float>(d);
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
      const int64_t i = threadIdx.x + static_cast<int64_t>(s) * blockDim.x;
      if (i >= vectors) continue;
      const V w = reinterpret_cast<const V*>(weight)[i];
      V out;
      for (int j = 0; j < N; ++j) {
        const float normed = load_element(vx[s].at[j]) * scale;
        const float g = load_element(vdy[s].at[j]);
        out.at[j] = to_element<T>(scale * (g * (load_element(w.at[j]) + offset) - normed * mean));
        dweight[s][j] += g * round_element<T>(normed);
      }
      if (residual != nullptr) out = add(out, reinterpret_cast<const V*>(residual + row * d)[i]);
      reinterpret_cast<V*>(dx + row * d)[i] = out;
    }
  }
  if (dweight_parts == nullptr) return;
#pragma unroll
  for (int s = 0; s < kSteps; ++s) {
    const int64_t i = threadIdx.x + static_cast<int64_t>(s) * blockDim.x;
    if (i >= vectors) continue;
    for (int j = 0; j < N; ++j) dweight_parts[slot * d + i * N + j] = dweight[s][j];
  }
}

/// Calls body with the vector width as a constant: 16 bytes where everything is aligned, else one element.
template <class T, class Body>
void with_width(bool vectorizable, Body body) {
  if (vectorizable) {
    body(std::integral_constant<int, kVectorWidth<T>>());
  } else {
    body(std::integral_constant<int, 1>());
  }
}

unsigned num_blocks(int64_t rows, const dim3& block) {
  return static_cast<unsigned>(ceil_div(rows, block.y));
}

int64_t backward_blocks(int64_t rows, const dim3& block) {
  return std::min<int64_t>(ceil_div(rows, block.y), kBackwardBlocks);
}

}  // namespace

void rms_norm_forward_cuda(const RmsNormForwardArgs& args) {
  const auto& [element, x, x_stride, addend, sum, weight, offset, y, rstd, rows, d, eps, stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    with_width<T>(is_vectorizable<T>(x, d, x_stride) && is_vectorizable<T>(addend, d, d), [&](auto width) {
      const dim3 block = block_shape(d, width());
      const auto launch = [&](auto kernel) {
        kernel<<<num_blocks(rows, block), block, 0, static_cast<cudaStream_t>(stream)>>>(
            static_cast<const T*>(x),
            x_stride,
            static_cast<const T*>(addend),
            static_cast<T*>(sum),
            static_cast<const T*>(weight),
            offset,
            static_cast<T*>(y),
            rstd,
            rows,
            d,
            eps);
      };
      if (addend != nullptr) {
        launch(forward_kernel<T, width(), true>);
      } else {
        launch(forward_kernel<T, width(), false>);
      }
    });
  });
  check_launch("rms_norm_forward");
}

void rms_norm_apply_cuda(const RmsNormApplyArgs& args) {
  const auto& [element, x, x_stride, rstd, weight, offset, y, rows, d, stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    with_width<T>(is_vectorizable<T>(x, d, x_stride), [&](auto width) {
      const dim3 block = block_shape(d, width());
      apply_kernel<T, width()><<<num_blocks(rows, block), block, 0, static_cast<cudaStream_t>(stream)>>>(
          static_cast<const T*>(x),
          x_stride,
          rstd,
          static_cast<const T*>(weight),
          offset,
          static_cast<T*>(y),
          rows,
          d);
    });
  });
  check_launch("rms_norm_apply");
}

int64_t rms_norm_parts_cuda(int64_t rows, int64_t d) {
  // The narrowest block has the most rows: an upper bound for both element types and widths.
  return std::min<int64_t>(rows, kBackwardBlocks) * (d <= kWarp * 8 ? kThreadsABlock / kWarp : 1);
}

void rms_norm_backward_cuda(const RmsNormBackwardArgs& args) {
  const auto& [element, dy, x, x_stride, rstd, weight, offset, residual, dx, dweight_parts, rows, d, stream] =
      args;
  if (rows == 0) return;
  const auto s = static_cast<cudaStream_t>(stream);
  if (dweight_parts != nullptr) {
    cudaMemsetAsync(
        dweight_parts, 0, static_cast<size_t>(rms_norm_parts_cuda(rows, d) * d) * sizeof(float), s);
  }
  with_device_element(element, [&]<class T>(T) {
    with_width<T>(is_vectorizable<T>(x, d, x_stride) && is_vectorizable<T>(residual, d, d), [&](auto width) {
      const dim3 block = block_shape(d, width());
      const auto blocks = static_cast<unsigned>(backward_blocks(rows, block));
      const int64_t steps = ceil_div(d / width(), block.x);
      check(steps <= kMaxSteps, ErrorCode::kUnsupported, "rms_norm of rows of ", d, " elements on a GPU");
      const auto launch = [&](auto kernel) {
        kernel<<<blocks, block, 0, s>>>(static_cast<const T*>(dy),
                                        static_cast<const T*>(x),
                                        x_stride,
                                        rstd,
                                        static_cast<const T*>(weight),
                                        offset,
                                        static_cast<const T*>(residual),
                                        static_cast<T*>(dx),
                                        dweight_parts,
                                        rows,
                                        d);
      };
      if (steps == 1) {
        launch(backward_kernel<T, width(), 1>);
      } else if (steps == 2) {
        launch(backward_kernel<T, width(), 2>);
      } else {
        launch(backward_kernel<T, width(), kMaxSteps>);
      }
    });
  });
  check_launch("rms_norm_backward");
}

}  // namespace automodel::kernels
