#pragma once

/// The section optimizer. Each optimizer's row (its `_target_` names, its kind, its defaults, its options)
/// stands in optimizer.cpp; how it updates weights, in core/optim.
namespace automodel::config {

struct OptimizerConfig {
  enum class Kind { kAdamW, kAdam, kSgd, kLion } kind = Kind::kAdamW;
  double lr = 1e-4;
  double weight_decay = 0.01;  ///< AdamW's; rows of other optimizers have their own
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double momentum = 0.0;
  bool nesterov = false;
  bool master_weights = false;         ///< keep fp32 copies of bf16 weights
  bool states_in_float32 = false;      ///< asked for by Transformer Engine's FusedAdam
  bool bf16_stochastic_round = false;  ///< round updated bf16 weights and states stochastically
};

}  // namespace automodel::config
