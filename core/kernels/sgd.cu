#include "core/kernels/device.cuh"
#include "core/kernels/sgd.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 256;

struct Factors {
  float lr, momentum, decay, grad_scale;
  bool nesterov, first_step;
};

template <class T>
__global__ void sgd_kernel(
    T* p, const float* grad, T* momentum_buffer, int64_t n, Factors f, const float* clip) {
  const float scale = clip == nullptr ? f.grad_scale : f.grad_scale * *clip;
  if (!isfinite(scale)) return;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= n) return;
  const float x = load_element(p[i]);
  float g = round_element<T>(round_element<T>(grad[i]) * scale);
  if (f.decay != 0) g = round_element<T>(g + f.decay * x);
  float direction = g;
  if (f.momentum != 0) {
    const float buffer =
        f.first_step ? g
                     : round_element<T>(round_element<T>(load_element(momentum_buffer[i]) * f.momentum) + g);
    momentum_buffer[i] = to_element<T>(buffer);
    direction = f.nesterov ? round_element<T>(g + f.momentum * buffer) : buffer;
  }
  p[i] = to_element<T>(x - f.lr * direction);
}

}  // namespace

void sgd_cuda(Element element,
              void* p,
              const float* grad,
              void* momentum_buffer,
              int64_t n,
              const SgdArgs& args,
              const float* clip,
              void* stream) {
  if (n == 0) return;
  const Factors f{static_cast<float>(args.lr),
                  static_cast<float>(args.momentum),
                  static_cast<float>(args.weight_decay),
                  args.grad_scale,
                  args.nesterov,
                  args.first_step};
  with_device_element(element, [&]<class T>(T) {
    sgd_kernel<T>
        <<<static_cast<unsigned>(ceil_div(n, kThreads)), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
            static_cast<T*>(p), grad, static_cast<T*>(momentum_buffer), n, f, clip);
  });
  check_launch("sgd");
}

}  // namespace automodel::kernels
