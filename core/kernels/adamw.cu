#include <cmath>

#include <cuda_runtime.h>

#include "core/base/error.h"
#include "core/kernels/adamw.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kElementsAThread = 4;

struct Factors {
  float decay, one_minus_beta1, beta2, one_minus_beta2, correction2, eps, step_size, grad_scale;
  bool decoupled;
};

__device__ void update(float& p, float g, float& m, float& v, const Factors& f) {
  g *= f.grad_scale;
  if (f.decoupled) {
    p *= f.decay;
  } else {
    g += f.decay * p;
  }
  m += f.one_minus_beta1 * (g - m);
  v = v * f.beta2 + f.one_minus_beta2 * g * g;
  p -= f.step_size * (m / (sqrtf(v) / f.correction2 + f.eps));
}

__global__ void adamw_kernel(
    float* p, const float* grad, float* m, float* v, int64_t n, Factors f, const int32_t* found_non_finite) {
  if (found_non_finite != nullptr && *found_non_finite != 0) return;
  const int64_t at = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kElementsAThread;
  if (at + kElementsAThread <= n) {
    float4 p4 = *reinterpret_cast<float4*>(p + at);
    float4 m4 = *reinterpret_cast<float4*>(m + at);
    float4 v4 = *reinterpret_cast<float4*>(v + at);
    const float4 g4 = *reinterpret_cast<const float4*>(grad + at);
    update(p4.x, g4.x, m4.x, v4.x, f);
    update(p4.y, g4.y, m4.y, v4.y, f);
    update(p4.z, g4.z, m4.z, v4.z, f);
    update(p4.w, g4.w, m4.w, v4.w, f);
    *reinterpret_cast<float4*>(p + at) = p4;
    *reinterpret_cast<float4*>(m + at) = m4;
    *reinterpret_cast<float4*>(v + at) = v4;
    return;
  }
  for (int64_t i = at; i < n; ++i) update(p[i], grad[i], m[i], v[i], f);
}

}  // namespace

void adamw_f32_cuda(float* p,
                    const float* grad,
                    float* m,
                    float* v,
                    int64_t n,
                    const AdamWArgs& args,
                    const int32_t* found_non_finite,
                    void* stream) {
  if (n == 0) return;
  const double t = static_cast<double>(args.step);
  const Factors f{
      static_cast<float>(args.decoupled ? 1 - args.lr * args.weight_decay : args.weight_decay),
      static_cast<float>(1 - args.beta1),
      static_cast<float>(args.beta2),
      static_cast<float>(1 - args.beta2),
      static_cast<float>(std::sqrt(1 - std::pow(args.beta2, t))),
      static_cast<float>(args.eps),
      static_cast<float>(args.lr / (1 - std::pow(args.beta1, t))),
      args.grad_scale,
      args.decoupled,
  };
  constexpr int64_t kPerBlock = int64_t{kThreads} * kElementsAThread;
  const int64_t blocks = (n + kPerBlock - 1) / kPerBlock;
  adamw_kernel<<<static_cast<unsigned>(blocks), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      p, grad, m, v, n, f, found_non_finite);
  const cudaError_t status = cudaGetLastError();
  check(status == cudaSuccess, ErrorCode::kDevice, "adamw_f32_cuda: ", cudaGetErrorString(status));
}

}  // namespace automodel::kernels
