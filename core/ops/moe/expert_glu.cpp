#include "core/ops/moe/expert_glu.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sigmoid.h>

#include "core/kernels/silu_and_mul.h"
#include "core/ops/activation.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/glu.h"

namespace automodel::ops {
namespace {

/// gate_up cut in two and held within the limit.
struct Clamped {
  at::Tensor gate;     ///< at most limit
  at::Tensor up;       ///< within +-limit, one added
  at::Tensor sigmoid;  ///< of alpha * gate
};

Clamped clamped(const at::Tensor& gate_up, const kernels::ExpertGlu& gate) {
  const int64_t width = gate_up.size(1) / 2;
  const at::Tensor raw_gate = gate_up.narrow(1, 0, width);
  const at::Tensor raw_up = gate_up.narrow(1, width, width);
  Clamped parts;
  parts.gate = at::clamp_max(raw_gate, gate.limit);
  parts.up = at::clamp(raw_up, -gate.limit, gate.limit).add_(1);
  parts.sigmoid = at::sigmoid(parts.gate * gate.alpha);
  return parts;
}

at::Tensor clamped_gradient(const at::Tensor& dproduct,
                            const at::Tensor& gate_up,
                            const Clamped& parts,
                            const kernels::ExpertGlu& gate) {
  const int64_t width = gate_up.size(1) / 2;
  const at::Tensor raw_gate = gate_up.narrow(1, 0, width);
  const at::Tensor raw_up = gate_up.narrow(1, width, width);
  // d(g s)/dg = s (1 + alpha g (1 - s))
  const at::Tensor slope = parts.sigmoid * (1 + gate.alpha * parts.gate * (1 - parts.sigmoid));
  const at::Tensor dgate = dproduct * parts.up * slope * (raw_gate <= gate.limit);
  const at::Tensor dup = dproduct * parts.gate * parts.sigmoid * (raw_up.abs() <= gate.limit);
  return at::cat({dgate, dup}, 1);
}

}  // namespace

at::Tensor expert_glu(const at::Tensor& gate_up, const kernels::ExpertGlu& gate) {
  if (gate_up.is_cuda()) {
    at::Tensor product = at::empty({gate_up.size(0), gate_up.size(1) / gate.parts()}, gate_up.options());
    cuda().expert_glu({.element = element_of(gate_up, "experts"),
                       .gate = gate,
                       .gate_up = gate_up.const_data_ptr(),
                       .product = product.mutable_data_ptr(),
                       .rows = product.size(0),
                       .width = product.size(1),
                       .stream = cuda().current_stream()});
    return product;
  }
  if (!gate.gated) return activate(gate_up, gate.activation);
  if (gate.limit == 0) return glu(gate_up, gate.activation);
  const Clamped parts = clamped(gate_up, gate);
  return (parts.gate * parts.sigmoid).mul_(parts.up);
}

namespace {

void backward_on_device(const at::Tensor& dproduct,
                        const at::Tensor& gate_up,
                        const at::Tensor& weights,
                        const kernels::ExpertGlu& gate,
                        const ExpertGradient& to) {
  cuda().expert_glu_backward({.element = element_of(gate_up, "experts"),
                              .gate = gate,
                              .dproduct = dproduct.const_data_ptr(),
                              .gate_up = gate_up.const_data_ptr(),
                              .weights = weights.defined() ? data<float>(weights) : nullptr,
                              .product = to.product.mutable_data_ptr(),
                              .dgate_up = to.dgate_up.mutable_data_ptr(),
                              .dweights = mutable_data<float>(to.dweights),
                              .rows = gate_up.size(0),
                              .width = dproduct.size(1),
                              .stream = cuda().current_stream()});
}

/// On the calling thread, which has an expert of its own.
void silu_backward_on_host(const at::Tensor& dproduct,
                           const at::Tensor& gate_up,
                           const at::Tensor& weights,
                           const ExpertGradient& to) {
  with_element_type(gate_up, "experts", [&]<class T>(T) {
    using C = kernels::Compute<T>;
    kernels::silu_and_mul_backward<T>(
        data<T>(dproduct),
        data<T>(gate_up),
        weights.defined() ? data<C>(weights) : nullptr,
        {mutable_data<T>(to.product), mutable_data<T>(to.dgate_up), mutable_data<C>(to.dweights)},
        gate_up.size(0),
        dproduct.size(1));
  });
}

}  // namespace

void expert_glu_backward(const at::Tensor& dproduct,
                         const at::Tensor& gate_up,
                         const at::Tensor& weights,
                         const kernels::ExpertGlu& gate,
                         const ExpertGradient& to) {
  if (gate_up.is_cuda()) return backward_on_device(dproduct, gate_up, weights, gate, to);
  const bool plain = gate.gated && gate.limit == 0;
  if (plain && gate.activation == kernels::Activation::kSilu)
    return silu_backward_on_host(dproduct, gate_up, weights, to);
  const at::Tensor weight = weights.defined() ? weights.unsqueeze(1) : at::Tensor();
  const at::Tensor weighted = weight.defined() ? dproduct.clone().mul_(weight) : dproduct;
  if (!gate.gated) {
    to.product.copy_(activate(gate_up, gate.activation));
    to.dgate_up.copy_(activate_backward(weighted, gate_up, gate.activation));
  } else if (plain) {
    const auto [product, dgate_up] = gated_product_again(weighted, gate_up, gate.activation);
    to.product.copy_(product);
    to.dgate_up.copy_(dgate_up);
  } else {
    const Clamped parts = clamped(gate_up, gate);
    to.product.copy_((parts.gate * parts.sigmoid).mul_(parts.up));
    to.dgate_up.copy_(clamped_gradient(weighted, gate_up, parts, gate));
  }
  to.dweights.copy_(at::mul(dproduct, to.product).sum({1}, false, sum_type(dproduct)));
  if (weight.defined()) to.product.mul_(weight);
}

}  // namespace automodel::ops
