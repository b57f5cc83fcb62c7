#include <cmath>

#include "core/kernels/adamw.h"
#include "core/kernels/device.cuh"
#include "core/kernels/stochastic_round.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;

/// So that the state of a thread moves in accesses of 16 bytes.
template <class T>
constexpr int kElementsPerThread = kVectorWidth<T>;

struct Factors {
  float decay, one_minus_beta1, beta2, one_minus_beta2, correction2, eps, step_size, grad_scale;
  float inverse_correction2;  ///< 1 / correction2
  bool decoupled;
};

/// x / y by a product and a correction, without the branches of the library's division, which cost the kernel
/// an eighth of its time. `inverse` is 1 / y but for an ulp.
__device__ float quotient(float x, float y, float inverse) {
  const float first = x * inverse;
  const float corrected = fmaf(fmaf(-first, y, x), inverse, first);
  return isfinite(corrected) ? corrected : first;
}

/// sqrt(x) in the same way, of x >= 0 or NaN.
__device__ float square_root(float x) {
  const float inverse = rsqrtf(x);
  const float first = x * inverse;
  const float corrected = fmaf(fmaf(-first, first, x), 0.5f * inverse, first);
  return isfinite(corrected) ? corrected : x;  // 0, infinity, NaN
}

Factors factors(const AdamWArgs& args) {
  const double t = static_cast<double>(args.step);
  const auto correction2 = static_cast<float>(std::sqrt(1 - std::pow(args.beta2, t)));
  return {
      static_cast<float>(args.decoupled ? 1 - args.lr * args.weight_decay : args.weight_decay),
      static_cast<float>(1 - args.beta1),
      static_cast<float>(args.beta2),
      static_cast<float>(1 - args.beta2),
      correction2,
      static_cast<float>(args.eps),
      static_cast<float>(args.lr / (1 - std::pow(args.beta1, t))),
      args.grad_scale,
      1 / correction2,
      args.decoupled,
  };
}

__device__ void update(float& p, float g, float& m, float& v, float scale, const Factors& f) {
  g *= scale;
  if (f.decoupled) {
    p *= f.decay;
  } else {
    g += f.decay * p;
  }
  m += f.one_minus_beta1 * (g - m);
  v = v * f.beta2 + f.one_minus_beta2 * g * g;
  p -= f.step_size * (m / (sqrtf(v) / f.correction2 + f.eps));
}

__device__ float round_bf16(float x) {
  return round_element<__nv_bfloat16>(x);
}

/// Every intermediate that torch would store in a bf16 tensor is rounded.
__device__ void update(
    __nv_bfloat16& p, float grad, __nv_bfloat16& m, __nv_bfloat16& v, float scale, const Factors& f) {
  float g = round_bf16(round_bf16(grad) * scale);
  float x = load_element(p);
  if (f.decoupled) {
    x = round_bf16(x * f.decay);
  } else {
    g = round_bf16(g + f.decay * x);
  }
  const float old_mean = load_element(m);
  const float mean = round_bf16(old_mean + f.one_minus_beta1 * (g - old_mean));
  const float square = round_bf16(round_bf16(load_element(v) * f.beta2) + f.one_minus_beta2 * g * g);
  const float root =
      round_bf16(quotient(round_bf16(square_root(square)), f.correction2, f.inverse_correction2));
  const float denominator = round_bf16(root + f.eps);
  m = to_element<__nv_bfloat16>(mean);
  v = to_element<__nv_bfloat16>(square);
  p = to_element<__nv_bfloat16>(x - f.step_size * quotient(mean, denominator, __fdividef(1.0f, denominator)));
}

/// As the CPU does: every operation by itself, nothing contracted; what is stored is rounded stochastically.
__device__ void update_stochastic(__nv_bfloat16& p,
                                  float grad,
                                  __nv_bfloat16& m,
                                  __nv_bfloat16& v,
                                  float scale,
                                  const Factors& f,
                                  uint64_t random) {
  float g = __fmul_rn(grad, scale);
  float x = load_element(p);
  if (f.decoupled) {
    x = __fmul_rn(x, f.decay);
  } else {
    g = __fadd_rn(g, __fmul_rn(f.decay, x));
  }
  const float old_mean = load_element(m);
  const float mean = __fadd_rn(old_mean, __fmul_rn(f.one_minus_beta1, __fsub_rn(g, old_mean)));
  const float square =
      __fadd_rn(__fmul_rn(load_element(v), f.beta2), __fmul_rn(__fmul_rn(f.one_minus_beta2, g), g));
  const float denominator = __fadd_rn(__fdiv_rn(__fsqrt_rn(square), f.correction2), f.eps);
  const float updated = __fsub_rn(x, __fmul_rn(f.step_size, __fdiv_rn(mean, denominator)));
  const auto rounded = [&](float value, int shift) {
    return __ushort_as_bfloat16(
        round_stochastic(__float_as_uint(value), static_cast<uint32_t>(random >> shift)));
  };
  p = rounded(updated, 0);
  m = rounded(mean, 16);
  v = rounded(square, 32);
}

__global__ void adamw_stochastic_kernel(__nv_bfloat16* p,
                                        const float* grad,
                                        __nv_bfloat16* m,
                                        __nv_bfloat16* v,
                                        int64_t n,
                                        Factors f,
                                        RoundingKey key,
                                        const float* clip) {
  const float scale = clip == nullptr ? f.grad_scale : __fmul_rn(f.grad_scale, *clip);
  if (!isfinite(scale)) return;
  constexpr int N = kElementsPerThread<__nv_bfloat16>;
  using V = Vector<__nv_bfloat16, N>;
  const int64_t at = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * N;
  const auto counter = static_cast<uint64_t>(key.first_element + at);
  if (at + N > n) {
    for (int64_t i = at; i < n; ++i)
      update_stochastic(p[i], grad[i], m[i], v[i], scale, f, hash_bits(key.key, counter + (i - at)));
    return;
  }
  V vp = *reinterpret_cast<V*>(p + at);
  V vm = *reinterpret_cast<V*>(m + at);
  V vv = *reinterpret_cast<V*>(v + at);
  const auto vg = *reinterpret_cast<const Vector<float, N>*>(grad + at);
  for (int j = 0; j < N; ++j)
    update_stochastic(vp.at[j], vg.at[j], vm.at[j], vv.at[j], scale, f, hash_bits(key.key, counter + j));
  *reinterpret_cast<V*>(p + at) = vp;
  *reinterpret_cast<V*>(m + at) = vm;
  *reinterpret_cast<V*>(v + at) = vv;
}

template <class T, class G>
__global__ void adamw_kernel(T* p, const G* grad, T* m, T* v, int64_t n, Factors f, const float* clip) {
  const float scale = clip == nullptr ? f.grad_scale : f.grad_scale * *clip;
  if (!isfinite(scale)) return;
  constexpr int N = kElementsPerThread<T>;
  using V = Vector<T, N>;
  const int64_t at = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * N;
  if (at + N > n) {
    for (int64_t i = at; i < n; ++i) update(p[i], load_element(grad[i]), m[i], v[i], scale, f);
    return;
  }
  V vp = *reinterpret_cast<V*>(p + at);
  V vm = *reinterpret_cast<V*>(m + at);
  V vv = *reinterpret_cast<V*>(v + at);
  const auto vg = *reinterpret_cast<const Vector<G, N>*>(grad + at);
  for (int j = 0; j < N; ++j) update(vp.at[j], load_element(vg.at[j]), vm.at[j], vv.at[j], scale, f);
  *reinterpret_cast<V*>(p + at) = vp;
  *reinterpret_cast<V*>(m + at) = vm;
  *reinterpret_cast<V*>(v + at) = vv;
}

template <class T, class G>
void launch(
    T* p, const G* grad, T* m, T* v, int64_t n, const AdamWArgs& args, const float* clip, void* stream) {
  if (n == 0) return;
  const auto blocks = static_cast<unsigned>(ceil_div(n, int64_t{kThreads} * kElementsPerThread<T>));
  adamw_kernel<T, G>
      <<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(p, grad, m, v, n, factors(args), clip);
  check_launch("adamw");
}

}  // namespace

void adamw_f32_cuda(float* p,
                    const float* grad,
                    float* m,
                    float* v,
                    int64_t n,
                    const AdamWArgs& args,
                    const float* clip,
                    void* stream) {
  launch(p, grad, m, v, n, args, clip, stream);
}

void adamw_bf16_cuda(void* p,
                     Element grad_type,
                     const void* grad,
                     void* m,
                     void* v,
                     int64_t n,
                     const AdamWArgs& args,
                     const float* clip,
                     void* stream) {
  using BFloat = __nv_bfloat16;
  with_device_element(grad_type, [&]<class G>(G) {
    launch(static_cast<BFloat*>(p),
           static_cast<const G*>(grad),
           static_cast<BFloat*>(m),
           static_cast<BFloat*>(v),
           n,
           args,
           clip,
           stream);
  });
}

void adamw_bf16_stochastic_cuda(void* p,
                                const float* grad,
                                void* m,
                                void* v,
                                int64_t n,
                                const AdamWArgs& args,
                                const RoundingKey& key,
                                const float* clip,
                                void* stream) {
  using BFloat = __nv_bfloat16;
  if (n == 0) return;
  const auto blocks = static_cast<unsigned>(ceil_div(n, int64_t{kThreads} * kElementsPerThread<BFloat>));
  adamw_stochastic_kernel<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(static_cast<BFloat*>(p),
                                                                                      grad,
                                                                                      static_cast<BFloat*>(m),
                                                                                      static_cast<BFloat*>(v),
                                                                                      n,
                                                                                      factors(args),
                                                                                      key,
                                                                                      clip);
  check_launch("adamw_stochastic");
}

}  // namespace automodel::kernels
