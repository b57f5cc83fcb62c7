#include <cmath>

#include "core/kernels/adamw.h"
#include "core/kernels/bfloat16.h"

namespace automodel::kernels {
namespace {

/// The numbers that do not depend on the element, in double as torch computes them on the host.
struct Factors {
  float decay;  ///< 1 - lr * weight_decay, or weight_decay for Adam
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float correction2;  ///< sqrt(1 - beta2^t)
  float eps;
  float step_size;  ///< lr / (1 - beta1^t)

  explicit Factors(const AdamWArgs& a)
      : decay(static_cast<float>(a.decoupled ? 1 - a.lr * a.weight_decay : a.weight_decay)),
        one_minus_beta1(static_cast<float>(1 - a.beta1)),
        beta2(static_cast<float>(a.beta2)),
        one_minus_beta2(static_cast<float>(1 - a.beta2)),
        correction2(static_cast<float>(std::sqrt(1 - std::pow(a.beta2, static_cast<double>(a.step))))),
        eps(static_cast<float>(a.eps)),
        step_size(static_cast<float>(a.lr / (1 - std::pow(a.beta1, static_cast<double>(a.step))))) {}
};

}  // namespace

void adamw_f32(float* p, const float* grad, float* m, float* v, int64_t n, const AdamWArgs& args) {
  const Factors f(args);
  const bool decoupled = args.decoupled;
  const float scale = args.grad_scale;
  for (int64_t i = 0; i < n; ++i) {
    float g = grad[i] * scale;
    float x = p[i];
    g = decoupled ? g : g + f.decay * x;
    x = decoupled ? x * f.decay : x;
    const float mean = m[i] + f.one_minus_beta1 * (g - m[i]);
    const float square = v[i] * f.beta2 + f.one_minus_beta2 * g * g;
    m[i] = mean;
    v[i] = square;
    p[i] = x - f.step_size * (mean / (std::sqrt(square) / f.correction2 + f.eps));
  }
}

void adamw_bf16(uint16_t* p, const float* grad, uint16_t* m, uint16_t* v, int64_t n, const AdamWArgs& args) {
  const Factors f(args);
  for (int64_t i = 0; i < n; ++i) {
    float g = round_bf16(round_bf16(grad[i]) * args.grad_scale);
    float x = from_bf16(p[i]);
    if (args.decoupled) {
      x = round_bf16(x * f.decay);
    } else {
      g = round_bf16(g + f.decay * x);
    }
    const float old_mean = from_bf16(m[i]);
    const float mean = round_bf16(old_mean + f.one_minus_beta1 * (g - old_mean));
    const float square = round_bf16(round_bf16(from_bf16(v[i]) * f.beta2) + f.one_minus_beta2 * g * g);
    const float root = round_bf16(round_bf16(std::sqrt(square)) / f.correction2);
    const float denominator = round_bf16(root + f.eps);
    m[i] = to_bf16(mean);
    v[i] = to_bf16(square);
    p[i] = to_bf16(x - f.step_size * (mean / denominator));
  }
}

}  // namespace automodel::kernels
