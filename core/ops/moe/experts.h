#pragma once

#include "core/kernels/expert_glu.h"
#include "core/ops/linear.h"
#include "core/ops/moe/groups.h"

namespace automodel::ops {

/// MLPs of equal shape whose weights are stacked (Shazeer et al. 2017, arXiv:1701.06538).
struct Experts {
  tensor::Weight gate_up;         ///< [E, 2 F, D]: gate, then up; [E, F, D] without a gate
  tensor::Weight down;            ///< [E, D, F]
  tensor::Weight gate_up_bias{};  ///< [E, 2 F], or [E, F]; a null handle: none
  tensor::Weight down_bias{};     ///< [E, D]; a null handle: none
  kernels::ExpertGlu gate{};
  bool apply_router_weight_on_input =
      false;  ///< weights multiply the inputs of the experts, not their outputs. Llama 4
};

/// Sum over the chosen experts of weight * down(glu(gate_up(x))).
///
/// x        [tokens, D]  f32 | bf16 | f64 on a CPU, of the weights' type and device
/// weights  [tokens, k]  f32 (f64 with f64), receives a gradient
/// groups   of the choice [tokens, k]
/// returns  [tokens, D]  type of x; sums over experts in f32 (f64)
/// Saves x, weights, the indices and gate_up [tokens k, 2 F], or up [tokens k, F]; the product is formed
/// again at backward. An expert without tokens gets a zero gradient.
at::Tensor experts(const at::Tensor& x,
                   const at::Tensor& weights,
                   const Groups& groups,
                   const Experts& layer,
                   const OpContext& context);

}  // namespace automodel::ops
