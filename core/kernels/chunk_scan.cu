#include "core/kernels/chunk_scan.h"
#include "core/kernels/device.cuh"

namespace automodel::kernels {
namespace {

constexpr int kWarpsABlock = 4;

/// The walk of a warp.
struct WarpWalk {
  int lane;

  template <class F>
  __device__ void each(int64_t n, F f) const {
    for (int64_t i = lane; i < n; i += kWarp) f(i);
  }

  template <class C, class F>
  __device__ C sum(int64_t n, F f) const {
    C total = 0;
    for (int64_t i = lane; i < n; i += kWarp) total += f(i);
    return warp_sum(total);
  }

  template <class F>
  __device__ void at(int64_t i, F f) const {
    if (i % kWarp == lane) f();
  }

  __device__ float exp(float x) const { return expf(x); }

  __device__ float reciprocal_root(float x) const { return 1.0f / sqrtf(x); }

  __device__ float get(float x) const { return x; }

  __device__ float get(BF16 x) const { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }

  __device__ void put(float& to, float x) const { to = x; }

  __device__ void put(BF16& to, float x) const { to.bits = __bfloat16_as_ushort(__float2bfloat16_rn(x)); }
};

template <class Body>
__global__ void units_kernel(Body body, int64_t units) {
  const int64_t unit = static_cast<int64_t>(blockIdx.x) * kWarpsABlock + threadIdx.y;
  if (unit < units) body(unit, WarpWalk{static_cast<int>(threadIdx.x)});
}

}  // namespace

void chunk_scan_cuda(const DeviceBody& variant, int64_t units, void* stream) {
  if (units == 0) return;
  const dim3 block(kWarp, kWarpsABlock);
  const auto blocks = static_cast<unsigned>(ceil_div(units, kWarpsABlock));
  std::visit(
      [&](const auto& body) {
        units_kernel<<<blocks, block, 0, static_cast<cudaStream_t>(stream)>>>(body, units);
      },
      variant);
  check_launch("chunk_scan");
}

}  // namespace automodel::kernels
