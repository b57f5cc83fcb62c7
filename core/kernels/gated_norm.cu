#include <algorithm>

#include "core/kernels/device.cuh"
#include "core/kernels/gated_norm.h"

namespace automodel::kernels {
namespace {

constexpr int kMaxThreads = 512;

__device__ float sigmoid(float x) {
  return 1.0f / (1.0f + __expf(-x));
}

/// One block a group of a row.
struct GroupPlace {
  int64_t row, column;

  __device__ explicit GroupPlace(const GatedNormShape& s) {
    const int64_t groups = s.width / s.group;
    row = blockIdx.x / groups;
    column = blockIdx.x % groups * s.group;
  }
};

template <class T>
__global__ void forward_kernel(
    const T* x, const T* gate, float* rstd, const T* weight, T* y, GatedNormShape s) {
  __shared__ float shared[kMaxThreads / kWarp];
  const GroupPlace place(s);
  const T* in = x + place.row * s.width + place.column;
  const T* by = gate + place.row * s.gate_stride + place.column;
  T* out = y + place.row * s.width + place.column;
  float scale = 1.0f;
  if (s.order != GateOrder::kGateOnly) {
    float squares = 0;
    for (int64_t i = threadIdx.x; i < s.group; i += blockDim.x) {
      const float g = load_element(by[i]);
      const float h = load_element(in[i]) * (s.order == GateOrder::kGateFirst ? g * sigmoid(g) : 1.0f);
      squares += h * h;
    }
    squares = row_sum(squares, shared);
    scale = 1.0f / sqrtf(squares / static_cast<float>(s.group) + static_cast<float>(s.eps));
    if (threadIdx.x == 0) rstd[blockIdx.x] = scale;
    weight += place.column % s.weight_length;
  }
  for (int64_t i = threadIdx.x; i < s.group; i += blockDim.x) {
    const float g = load_element(by[i]);
    const float value = load_element(in[i]) * (g * sigmoid(g)) * scale;
    out[i] = to_element<T>(s.order == GateOrder::kGateOnly ? value : load_element(weight[i]) * value);
  }
}

template <class T>
__global__ void backward_kernel(const T* dy,
                                const T* x,
                                const T* gate,
                                const float* rstd,
                                const T* weight,
                                T* dx,
                                T* dgate,
                                float* dweight_rows,
                                GatedNormShape s) {
  __shared__ float shared[kMaxThreads / kWarp];
  const GroupPlace place(s);
  const int64_t at = place.row * s.width + place.column;
  const T* by = gate + place.row * s.gate_stride + place.column;
  const bool normed = s.order != GateOrder::kGateOnly;
  const float scale = normed ? rstd[blockIdx.x] : 1.0f;
  float mean = 0;
  if (normed) {
    weight += place.column % s.weight_length;
    for (int64_t i = threadIdx.x; i < s.group; i += blockDim.x) {
      const float g = load_element(by[i]);
      mean += load_element(dy[at + i]) * load_element(weight[i]) * load_element(x[at + i]) *
              (g * sigmoid(g)) * scale;
    }
    mean = row_sum(mean, shared) / static_cast<float>(s.group);
  }
  for (int64_t i = threadIdx.x; i < s.group; i += blockDim.x) {
    const float g = load_element(by[i]);
    const float sig = sigmoid(g);
    const float silu = g * sig;
    const float slope = sig * (1.0f + g * (1.0f - sig));
    const float value = load_element(x[at + i]);
    const float dout = load_element(dy[at + i]) * (normed ? load_element(weight[i]) : 1.0f);
    float through_x = dout * silu, through_gate = dout * value;
    if (s.order == GateOrder::kGateFirst) {
      const float dh = scale * (dout - value * silu * scale * mean);
      through_x = dh * silu;
      through_gate = dh * value;
    } else if (s.order == GateOrder::kNormFirst) {
      through_x = scale * (dout * silu - value * scale * mean);
      through_gate = dout * value * scale;
    }
    dx[at + i] = to_element<T>(through_x);
    dgate[at + i] = to_element<T>(through_gate * slope);
    if (dweight_rows != nullptr) dweight_rows[at + i] = load_element(dy[at + i]) * value * silu * scale;
  }
}

unsigned threads_for(const GatedNormShape& shape) {
  return static_cast<unsigned>(std::min<int64_t>(kMaxThreads, ceil_div(shape.group, kWarp) * kWarp));
}

unsigned blocks_for(const GatedNormShape& shape, int64_t rows) {
  return static_cast<unsigned>(rows * (shape.width / shape.group));
}

}  // namespace

void gated_norm_forward_cuda(const GatedNormForwardArgs& args) {
  const auto& [element, x, gate, rstd, weight, y, shape, rows, stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    forward_kernel<T><<<blocks_for(shape, rows), threads_for(shape), 0, static_cast<cudaStream_t>(stream)>>>(
        static_cast<const T*>(x),
        static_cast<const T*>(gate),
        rstd,
        static_cast<const T*>(weight),
        static_cast<T*>(y),
        shape);
  });
  check_launch("gated_norm_forward");
}

void gated_norm_backward_cuda(const GatedNormBackwardArgs& args) {
  const auto& [element, dy, x, gate, rstd, weight, dx, dgate, dweight_rows, shape, rows, stream] = args;
  if (rows == 0) return;
  with_device_element(element, [&]<class T>(T) {
    backward_kernel<T><<<blocks_for(shape, rows), threads_for(shape), 0, static_cast<cudaStream_t>(stream)>>>(
        static_cast<const T*>(dy),
        static_cast<const T*>(x),
        static_cast<const T*>(gate),
        rstd,
        static_cast<const T*>(weight),
        static_cast<T*>(dx),
        static_cast<T*>(dgate),
        dweight_rows,
        shape);
  });
  check_launch("gated_norm_backward");
}

}  // namespace automodel::kernels
