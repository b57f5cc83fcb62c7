#pragma once

#include <cstdint>
#include <string_view>

#include "core/kernels/element.h"

/// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) and Adam over a flat buffer, as torch.optim computes
/// them.
///
/// With g = grad * grad_scale:
///   AdamW: p -= lr * weight_decay * p;   Adam: g += weight_decay * p
///   m += (1 - beta1) * (g - m);  v = beta2 * v + (1 - beta2) * g * g
///   p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
///
/// Buffers hold n elements each and do not overlap; no alignment is required. Element-wise, so deterministic.
namespace automodel::kernels {

struct AdamWArgs {
  double lr = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled = true;  ///< true: AdamW; false: Adam, decay added to the gradient
  int64_t step = 1;       ///< t, from 1
  float grad_scale = 1;   ///< clipping
};

/// Draws of stochastic rounding: a hash of the key and the element's number in its parameter, nothing else.
/// The key is made of seed, step and the parameter's name: however parameters are laid out in buffers, or cut
/// into slices, each element is rounded by the same bits.
struct RoundingKey {
  uint64_t key = 0;
  int64_t first_element = 0;  ///< number of element 0 of the call

  RoundingKey(uint64_t seed, int64_t step, std::string_view parameter);
};

/// f32 parameters, gradients and state. Runs on the calling thread.
void adamw_f32(float* p, const float* grad, float* m, float* v, int64_t n, const AdamWArgs& args);

/// bf16 parameters and state; gradients are bf16 (G is BF16), or f32 that are first rounded to it (float):
/// the results are the same. Every intermediate that torch would store in a bf16 tensor is rounded.
/// `uint16_t*` are bit patterns of bf16.
template <class G>
void adamw_bf16(uint16_t* p, const G* grad, uint16_t* m, uint16_t* v, int64_t n, const AdamWArgs& args);

/// AdamW with f32 gradients, computed in f32 throughout, and then parameters and state rounded to bf16
/// stochastically: up or down with probabilities that make the mean exact, so that updates smaller than half
/// a step of bf16 are not lost (Zamirai et al. 2020, arXiv:2010.06192). No operation is contracted: CPU and
/// device agree to the bit.
void adamw_bf16_stochastic(uint16_t* p,
                           const float* grad,
                           uint16_t* m,
                           uint16_t* v,
                           int64_t n,
                           const AdamWArgs& args,
                           const RoundingKey& key);

/// On the device, 16-byte aligned, asynchronous on `stream` (a cudaStream_t), no workspace. `clip`, when not
/// null, is a device float by which grad_scale is multiplied; when it is not finite everything stays
/// untouched: a diverged step is skipped without asking the host.
void adamw_f32_cuda(float* p,
                    const float* grad,
                    float* m,
                    float* v,
                    int64_t n,
                    const AdamWArgs& args,
                    const float* clip,
                    void* stream);
void adamw_bf16_cuda(void* p,
                     Element grad_type,
                     const void* grad,
                     void* m,
                     void* v,
                     int64_t n,
                     const AdamWArgs& args,
                     const float* clip,
                     void* stream);

void adamw_bf16_stochastic_cuda(void* p,
                                const float* grad,
                                void* m,
                                void* v,
                                int64_t n,
                                const AdamWArgs& args,
                                const RoundingKey& key,
                                const float* clip,
                                void* stream);

}  // namespace automodel::kernels
