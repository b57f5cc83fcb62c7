#include "core/ops/expert_gate.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/sigmoid.h>

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
  if (gate.limit == 0) return gated_product(gate_up, gate.activation);
  const Clamped parts = clamped(gate_up, gate);
  return (parts.gate * parts.sigmoid).mul_(parts.up);
}

ProductAndGradient expert_product_again(const at::Tensor& dproduct,
                                        const at::Tensor& gate_up,
                                        const kernels::ExpertGate& gate) {
  if (gate.limit == 0) return gated_product_again(dproduct, gate_up, gate.activation);
  const Clamped parts = clamped(gate_up, gate);
  return {(parts.gate * parts.sigmoid).mul_(parts.up), clamped_gradient(dproduct, gate_up, parts, gate)};
}

}  // namespace automodel::ops
