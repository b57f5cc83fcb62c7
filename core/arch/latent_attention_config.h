#pragma once

#include <cstdint>

#include "core/arch/block_config.h"

namespace automodel::arch {

/// Multi-head latent attention: queries, keys and values from low-rank latents, position in a part of each
/// query and in one key that all heads share. DeepSeek-V2, arXiv:2405.04434.
struct LatentAttentionConfig {
  int64_t num_heads = 0;
  int64_t q_lora_rank = 0;       ///< of the queries' latent; 0: queries are projected directly
  int64_t kv_lora_rank = 0;      ///< of the latent of keys and values
  int64_t qk_nope_head_dim = 0;  ///< dims of a query and a key without position
  int64_t qk_rope_head_dim = 0;  ///< dims behind them that rotate
  int64_t v_head_dim = 0;        ///< of a value
  bool bias = false;             ///< of the projections into latents and of the output
  NormConfig latent_norm;
  double scale = 0.0;  ///< of q.k, yarn's factor included; 0: 1 / sqrt(qk_nope_head_dim + qk_rope_head_dim)
  int64_t rope = 0;    ///< which of the model's ropes
  QueryScaleConfig query_scale;
  double dropout = 0.0;       ///< of probabilities, in training
  uint64_t dropout_site = 0;  ///< the first of num_heads numbers of dropouts

  int64_t qk_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
};

}  // namespace automodel::arch
