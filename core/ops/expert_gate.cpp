#include "core/ops/expert_gate.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sigmoid.h>

#include "core/ops/activation.h"
#include "core/ops/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/gated_product.h"

namespace automodel::ops {
namespace {

/// gate_up cut in two and held within the limit.
struct Clamped {
  at::Tensor gate;     ///< at most limit
  at::Tensor up;       ///< within +-limit, one added
  at::Tensor sigmoid;  ///< of alpha * gate
};

Clamped clamped(const at::Tensor& gate_up, const kernels::ExpertGate& gate) {
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
                            const kernels::ExpertGate& gate) {
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

at::Tensor expert_product(const at::Tensor& gate_up, const kernels::ExpertGate& gate) {
  if (gate_up.is_cuda()) {
    at::Tensor product = at::empty({gate_up.size(0), gate_up.size(1) / gate.parts()}, gate_up.options());
    cuda().expert_product(element_of(gate_up, "experts"),
                          gate,
                          gate_up.const_data_ptr(),
                          product.mutable_data_ptr(),
                          product.size(0),
                          product.size(1),
                          cuda().current_stream());
    return product;
  }
  if (!gate.gated) return activate(gate_up, gate.activation);
  if (gate.limit == 0) return gated_product(gate_up, gate.activation);
  const Clamped parts = clamped(gate_up, gate);
  return (parts.gate * parts.sigmoid).mul_(parts.up);
}

namespace {

ExpertGradient backward_on_device(const at::Tensor& dproduct,
                                  const at::Tensor& gate_up,
                                  const at::Tensor& weights,
                                  const kernels::ExpertGate& gate) {
  const int64_t rows = gate_up.size(0);
  ExpertGradient gradient{at::empty(dproduct.sizes(), dproduct.options()),
                          at::empty(gate_up.sizes(), gate_up.options()),
                          at::empty({rows}, dproduct.options().dtype(at::kFloat))};
  cuda().expert_product_backward(element_of(gate_up, "experts"),
                                 gate,
                                 dproduct.const_data_ptr(),
                                 gate_up.const_data_ptr(),
                                 weights.defined() ? data<float>(weights) : nullptr,
                                 gradient.product.mutable_data_ptr(),
                                 gradient.dgate_up.mutable_data_ptr(),
                                 mutable_data<float>(gradient.dweights),
                                 rows,
                                 dproduct.size(1),
                                 cuda().current_stream());
  return gradient;
}

}  // namespace

ExpertGradient expert_product_backward(const at::Tensor& dproduct,
                                       const at::Tensor& gate_up,
                                       const at::Tensor& weights,
                                       const kernels::ExpertGate& gate) {
  if (gate_up.is_cuda()) return backward_on_device(dproduct, gate_up, weights, gate);
  const at::Tensor weight = weights.defined() ? weights.unsqueeze(1) : at::Tensor();
  const at::Tensor weighted = weight.defined() ? dproduct.clone().mul_(weight) : dproduct;
  ExpertGradient gradient;
  if (!gate.gated) {
    gradient = {
        activate(gate_up, gate.activation), activate_backward(weighted, gate_up, gate.activation), {}};
  } else if (gate.limit == 0) {
    const auto [product, dgate_up] = gated_product_again(weighted, gate_up, gate.activation);
    gradient = {product, dgate_up, {}};
  } else {
    const Clamped parts = clamped(gate_up, gate);
    gradient = {
        (parts.gate * parts.sigmoid).mul_(parts.up), clamped_gradient(weighted, gate_up, parts, gate), {}};
  }
  gradient.dweights = at::mul(dproduct, gradient.product).sum({1}, false, sum_type(dproduct));
  if (weight.defined()) gradient.product.mul_(weight);
  return gradient;
}

}  // namespace automodel::ops
