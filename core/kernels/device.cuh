#pragma once

// For core/kernels/*.cu only: elements, vectors of 16 bytes, sums over a block, launches.

#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "core/base/error.h"
#include "core/kernels/element.h"

namespace automodel::kernels {

constexpr int kWarp = 32;

__device__ inline float load_element(float x) {
  return x;
}

__device__ inline float load_element(__nv_bfloat16 x) {
  return __bfloat162float(x);
}

template <class T>
__device__ T to_element(float x);

template <>
__device__ inline float to_element<float>(float x) {
  return x;
}

template <>
__device__ inline __nv_bfloat16 to_element<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

/// `x` as the element type would hold it.
template <class T>
__device__ float round_element(float x) {
  return load_element(to_element<T>(x));
}

/// N neighbouring elements, aligned to their size but at most to the 16 bytes of the widest access.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Vector {
  T at[N];
};

/// A vector that is read once: it leaves the caches first.
template <class V, class T>
__device__ V load_streaming(const T* from) {
  if constexpr (sizeof(V) == 16) {
    const uint4 bits = __ldcs(reinterpret_cast<const uint4*>(from));
    return *reinterpret_cast<const V*>(&bits);
  } else {
    return *reinterpret_cast<const V*>(from);
  }
}

/// Of a vector that the caches need not keep.
template <class V, class T>
__device__ void store_streaming(T* to, const V& value) {
  if constexpr (sizeof(V) == 16) {
    __stcs(reinterpret_cast<uint4*>(to), *reinterpret_cast<const uint4*>(&value));
  } else {
    *reinterpret_cast<V*>(to) = value;
  }
}

/// Elements in one access of 16 bytes.
template <class T>
constexpr int kVectorWidth = 16 / static_cast<int>(sizeof(T));

/// Whether rows of `d` elements, `stride` apart, can be read in accesses of 16 bytes.
template <class T>
bool is_vectorizable(const void* base, int64_t d, int64_t stride) {
  return d % kVectorWidth<T> == 0 && stride % kVectorWidth<T> == 0 &&
         reinterpret_cast<uintptr_t>(base) % 16 == 0;
}

__device__ inline float warp_sum(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  return x;
}

/// Sum over the threads of a row of the block (blockDim.x, a multiple of 32), given to all of them. `shared`
/// holds blockDim.x / 32 floats for each row of the block. The order of additions is fixed.
__device__ inline float row_sum(float x, float* shared) {
  x = warp_sum(x);
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  if (warps == 1) return x;
  float* mine = shared + threadIdx.y * warps;
  __syncthreads();
  if (threadIdx.x % kWarp == 0) mine[threadIdx.x / kWarp] = x;
  __syncthreads();
  float total = 0;
  for (int w = 0; w < warps; ++w) total += mine[w];
  return total;
}

inline int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

inline void check_launch(const char* kernel) {
  const cudaError_t status = cudaGetLastError();
  check(status == cudaSuccess, ErrorCode::kDevice, kernel, ": ", cudaGetErrorString(status));
}

/// Calls body(T{}) with the device's type of the element.
template <class Body>
void with_device_element(Element element, Body body) {
  if (element == Element::kFloat32) {
    body(float{});
  } else {
    body(__nv_bfloat16{});
  }
}

}  // namespace automodel::kernels
