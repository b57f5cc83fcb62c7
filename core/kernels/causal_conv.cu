#include <algorithm>

#include "core/kernels/causal_conv.h"
#include "core/kernels/device.cuh"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kTokensAPart = 512;

/// The first position that the token may read.
__device__ int64_t lowest_position(const int32_t* first, int64_t token, bool has_state, int64_t kernel) {
  if (first == nullptr) return has_state ? 1 - kernel : 0;
  return first[token] < 0 ? 1 - kernel : first[token];
}

template <class T>
__device__ float input(
    const T* x, const T* state, const CausalConvShape& s, int64_t row, int64_t t, int64_t c) {
  return load_element(t >= 0 ? x[(row * s.length + t) * s.x_stride + c]
                             : state[(row * (s.kernel - 1) + t + s.kernel - 1) * s.channels + c]);
}

/// The sum under the activation of channel c of the token at (row, t).
template <class T>
__device__ float sum_of(const T* x,
                        const float* taps,
                        const float* bias,
                        const T* state,
                        const int32_t* first,
                        const CausalConvShape& s,
                        int64_t row,
                        int64_t t,
                        int64_t c) {
  float total = bias == nullptr ? 0.0f : bias[c];
  const int64_t oldest = t - s.kernel + 1;
  const int64_t lowest = lowest_position(first, row * s.length + t, state != nullptr, s.kernel);
  for (int64_t p = max(oldest, lowest); p <= t; ++p)
    total += taps[(p - oldest) * s.channels + c] * input(x, state, s, row, p, c);
  return total;
}

/// Blocks (token, slice of channels).
template <class T>
__global__ void forward_kernel(const T* x,
                               const float* taps,
                               const float* bias,
                               const T* state,
                               const int32_t* first,
                               T* y,
                               CausalConvShape s) {
  const int64_t token = blockIdx.x;
  const int64_t c = static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x;
  if (c >= s.channels) return;
  const float total = sum_of(x, taps, bias, state, first, s, token / s.length, token % s.length, c);
  y[token * s.channels + c] = to_element<T>(s.silu ? total / (1.0f + __expf(-total)) : total);
}

template <class T>
__global__ void activation_backward_kernel(const T* dy,
                                           const T* x,
                                           const float* taps,
                                           const float* bias,
                                           const int32_t* first,
                                           float* dpre,
                                           CausalConvShape s) {
  const int64_t token = blockIdx.x;
  const int64_t c = static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x;
  if (c >= s.channels) return;
  const float g = load_element(dy[token * s.channels + c]);
  float slope = 1.0f;
  if (s.silu) {
    const float total = sum_of<T>(x, taps, bias, nullptr, first, s, token / s.length, token % s.length, c);
    const float sigmoid = 1.0f / (1.0f + __expf(-total));
    slope = sigmoid * (1.0f + total * (1.0f - sigmoid));
  }
  dpre[token * s.channels + c] = g * slope;
}

template <class T>
__global__ void input_backward_kernel(
    const float* dpre, const float* taps, const int32_t* first, T* dx, CausalConvShape s) {
  const int64_t token = blockIdx.x;
  const int64_t c = static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x;
  if (c >= s.channels) return;
  const int64_t t = token % s.length;
  const int64_t readers = min(s.kernel, s.length - t);
  float total = 0;
  for (int64_t j = 0; j < readers; ++j) {
    if (lowest_position(first, token + j, false, s.kernel) > t) break;
    total += taps[(s.kernel - 1 - j) * s.channels + c] * dpre[(token + j) * s.channels + c];
  }
  dx[token * s.channels + c] = to_element<T>(total);
}

/// Blocks (part of the tokens, slice of channels, tap or bias).
template <class T>
__global__ void taps_backward_kernel(
    const float* dpre, const T* x, const int32_t* first, float* dtaps_parts, CausalConvShape s) {
  const int64_t c = static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x;
  if (c >= s.channels) return;
  const int64_t k = blockIdx.z;
  const int64_t tokens = s.batch * s.length;
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTokensAPart;
  const int64_t end = min(begin + kTokensAPart, tokens);
  float total = 0;
  for (int64_t token = begin; token < end; ++token) {
    const float g = dpre[token * s.channels + c];
    const int64_t back = s.kernel - 1 - k;  // -1: the bias
    if (back < 0) {
      total += g;
    } else if (token % s.length - back >= lowest_position(first, token, false, s.kernel)) {
      total += g * load_element(x[(token - back) * s.x_stride + c]);
    }
  }
  dtaps_parts[(blockIdx.x * (s.kernel + 1) + k) * s.channels + c] = total;
}

dim3 grid_of(int64_t blocks, const CausalConvShape& shape) {
  return {static_cast<unsigned>(blocks), static_cast<unsigned>(ceil_div(shape.channels, int64_t{kThreads}))};
}

}  // namespace

void causal_conv_cuda(const CausalConvArgs& args) {
  const auto& [element, x, taps, bias, state, first, y, shape, stream] = args;
  const int64_t tokens = shape.batch * shape.length;
  if (tokens == 0) return;
  with_device_element(element, [&]<class T>(T) {
    forward_kernel<T><<<grid_of(tokens, shape), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        static_cast<const T*>(x), taps, bias, static_cast<const T*>(state), first, static_cast<T*>(y), shape);
  });
  check_launch("causal_conv");
}

int64_t causal_conv_parts_cuda(const CausalConvShape& shape) {
  return ceil_div(shape.batch * shape.length, kTokensAPart);
}

void causal_conv_backward_cuda(const CausalConvBackwardArgs& args) {
  const auto& [element, dy, x, taps, bias, first, dx, dpre, dtaps_parts, shape, stream] = args;
  const int64_t tokens = shape.batch * shape.length;
  if (tokens == 0) return;
  const auto on = static_cast<cudaStream_t>(stream);
  with_device_element(element, [&]<class T>(T) {
    const auto* in = static_cast<const T*>(x);
    activation_backward_kernel<T><<<grid_of(tokens, shape), kThreads, 0, on>>>(
        static_cast<const T*>(dy), in, taps, bias, first, dpre, shape);
    input_backward_kernel<T>
        <<<grid_of(tokens, shape), kThreads, 0, on>>>(dpre, taps, first, static_cast<T*>(dx), shape);
    if (dtaps_parts == nullptr) return;
    dim3 grid = grid_of(causal_conv_parts_cuda(shape), shape);
    grid.z = static_cast<unsigned>(shape.kernel + 1);
    taps_backward_kernel<T><<<grid, kThreads, 0, on>>>(dpre, in, first, dtaps_parts, shape);
  });
  check_launch("causal_conv_backward");
}

}  // namespace automodel::kernels
