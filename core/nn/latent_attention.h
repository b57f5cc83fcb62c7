#pragma once

#include <memory>

#include "core/arch/latent_attention_config.h"
#include "core/nn/mixer.h"
#include "core/nn/rope_table.h"
#include "core/ops/linear.h"

namespace automodel::nn {

/// With c = norm(A_kv x) and r = rope(A_r x), head n has
///   key = [K_n c, r], value = V_n c, query = [its first dims, rope(its last)] of Q_n norm(A_q x) or of Q_n
///   x;
/// then attention and the output projection. The cache keeps keys and values.
struct LatentAttention {
  arch::LatentAttentionConfig config;
  ops::Norm input_norm;
  ops::Linear q_down{};  ///< A_q [q_lora_rank, D] where q_lora_rank > 0
  ops::Norm q_norm = ops::Norm::none();
  ops::Linear q_up;     ///< Q: N (qk_nope_head_dim + qk_rope_head_dim) outputs of the latent, or of x
  ops::Linear kv_down;  ///< A_kv, then A_r: kv_lora_rank + qk_rope_head_dim outputs
  ops::Norm kv_norm;
  ops::Linear kv_up;  ///< N times qk_nope_head_dim of the key, then v_head_dim of the value
  ops::Linear output;
  std::shared_ptr<const RopeTable> rope;

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;

 private:
  at::Tensor queries(const at::Tensor& normed_BTD,
                     const ops::RopeAngles& angles,
                     const ops::OpContext& context) const;
};

}  // namespace automodel::nn
