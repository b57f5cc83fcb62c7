#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/kernels/activation.h"
#include "core/kernels/norm_kind.h"
#include "core/ops/grad_sink.h"
#include "core/tensor/flat_parameter.h"

namespace automodel::ops {

/// What every op with weights is told: where weight gradients go, and whether it may recompute cheap values
/// at backward instead of keeping them (same result to the bit).
struct OpContext {
  GradSink* sink = nullptr;
  bool recompute_cheap = true;
  at::Tensor dropout_keys{};  ///< [rows] int64, one a row of x (dropout.h); undefined: nothing is dropped
};

struct Lora;

/// y = x W^T + b. Several parameters (q, k, v) are applied as one, their outputs side by side.
struct Linear {
  tensor::Weight weight;               ///< each parameter [out_i, in]
  std::vector<tensor::Weight> bias;    ///< empty, or one a parameter; a null handle where there is none
  std::vector<int64_t> out_features;   ///< out_i
  std::shared_ptr<const Lora> lora{};  ///< adapters of some of the parts (lora.h); null: none
};

/// The units that a linear reads: its own and that of its adapters.
std::vector<tensor::FlatParameter*> units_of(const Linear& layer);

using kernels::NormKind;

/// A normalisation's parameters, see norm.h.
struct Norm {
  tensor::Weight weight;  ///< [D]; a null handle: ones
  double eps = 1e-6;
  NormKind kind = NormKind::kRms;
  tensor::Weight bias{};       ///< [D]; a null handle: zeros
  double weight_offset = 0.0;  ///< added to weight: 1 where the file holds the distance from one (Gemma)

  static Norm none() { return {.weight = {}, .kind = NormKind::kNone}; }

  explicit operator bool() const { return kind != NormKind::kNone; }
};

/// x [..., in] -> [..., sum of out_i]. f32 or bf16, on a CPU also f64; same type and device as the weights.
/// Saves x.
at::Tensor linear(const at::Tensor& x, const Linear& layer, const OpContext& context);

/// linear(norm(x)), without a norm linear(x). Saves x and its statistics; the normalised x is recomputed at
/// the cheap level, saved otherwise.
at::Tensor norm_linear(const at::Tensor& x, const Norm& norm, const Linear& layer, const OpContext& context);

/// What add_norm_linear returns.
struct AddedLinear {
  at::Tensor sum, y;
};

/// sum = x + addend and y = norm_linear(sum): a residual stream after a mixer, with what the next mixer reads
/// of it. Saves sum and its statistics. With RMSNorm the gradient of sum joins that of the norm's input in
/// one pass.
AddedLinear add_norm_linear(const at::Tensor& x,
                            const at::Tensor& addend,
                            const Norm& norm,
                            const Linear& layer,
                            const OpContext& context);

/// linear(act(gate) * up) with gate_up [..., 2 F] holding gate, then up (Shazeer 2020, arXiv:2002.05202).
/// Saves gate_up; the product is recomputed at the cheap level, saved otherwise.
at::Tensor glu_linear(const at::Tensor& gate_up,
                      kernels::Activation activation,
                      const Linear& layer,
                      const OpContext& context);

/// linear(act(x)). Saves x; act(x) is recomputed at the cheap level, saved otherwise.
at::Tensor activated_linear(const at::Tensor& x,
                            kernels::Activation activation,
                            const Linear& layer,
                            const OpContext& context);

}  // namespace automodel::ops
