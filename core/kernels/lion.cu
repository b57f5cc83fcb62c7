#include "core/kernels/device.cuh"
#include "core/kernels/lion.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;

/// So that the state of a thread moves in accesses of 16 bytes.
template <class T>
constexpr int kElementsPerThread = kVectorWidth<T>;

struct Factors {
  float lr, decay, beta1, one_minus_beta1, beta2, one_minus_beta2, grad_scale;

  explicit Factors(const LionArgs& a)
      : lr(static_cast<float>(a.lr)),
        decay(static_cast<float>(1 - a.lr * a.weight_decay)),
        beta1(static_cast<float>(a.beta1)),
        one_minus_beta1(static_cast<float>(1 - a.beta1)),
        beta2(static_cast<float>(a.beta2)),
        one_minus_beta2(static_cast<float>(1 - a.beta2)),
        grad_scale(a.grad_scale) {}
};

/// As the CPU does: every operation by itself, nothing contracted.
template <class T>
__device__ void update(T& p, float grad, T& m, float scale, const Factors& f) {
  const float g = round_element<T>(__fmul_rn(round_element<T>(grad), scale));
  const float mean = load_element(m);
  const float direction = round_element<T>(
      __fadd_rn(round_element<T>(__fmul_rn(mean, f.beta1)), __fmul_rn(f.one_minus_beta1, g)));
  const auto sign = static_cast<float>((direction > 0) - (direction < 0));
  const float x = round_element<T>(__fmul_rn(load_element(p), f.decay));
  p = to_element<T>(__fsub_rn(x, __fmul_rn(f.lr, sign)));
  m = to_element<T>(__fadd_rn(round_element<T>(__fmul_rn(mean, f.beta2)), __fmul_rn(f.one_minus_beta2, g)));
}

template <class T, class G>
__global__ void lion_kernel(T* p, const G* grad, T* m, int64_t n, Factors f, const float* clip) {
  const float scale = clip == nullptr ? f.grad_scale : __fmul_rn(f.grad_scale, *clip);
  if (!isfinite(scale)) return;
  constexpr int N = kElementsPerThread<T>;
  using V = Vector<T, N>;
  const int64_t at = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * N;
  if (at + N > n) {
    for (int64_t i = at; i < n; ++i) update(p[i], load_element(grad[i]), m[i], scale, f);
    return;
  }
  V vp = *reinterpret_cast<V*>(p + at);
  V vm = *reinterpret_cast<V*>(m + at);
  const auto vg = *reinterpret_cast<const Vector<G, N>*>(grad + at);
  for (int j = 0; j < N; ++j) update(vp.at[j], load_element(vg.at[j]), vm.at[j], scale, f);
  *reinterpret_cast<V*>(p + at) = vp;
  *reinterpret_cast<V*>(m + at) = vm;
}

template <class T, class G>
void launch(
    void* p, const void* grad, void* m, int64_t n, const Factors& f, const float* clip, void* stream) {
  if (n == 0) return;
  const auto blocks = static_cast<unsigned>(ceil_div(n, int64_t{kThreads} * kElementsPerThread<T>));
  lion_kernel<T, G><<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      static_cast<T*>(p), static_cast<const G*>(grad), static_cast<T*>(m), n, f, clip);
  check_launch("lion");
}

}  // namespace

void lion_cuda(Element type,
               void* p,
               Element grad_type,
               const void* grad,
               void* m,
               int64_t n,
               const LionArgs& args,
               const float* clip,
               void* stream) {
  const Factors f(args);
  if (type == Element::kFloat32) return launch<float, float>(p, grad, m, n, f, clip, stream);
  with_device_element(grad_type,
                      [&]<class G>(G) { launch<__nv_bfloat16, G>(p, grad, m, n, f, clip, stream); });
}

}  // namespace automodel::kernels
