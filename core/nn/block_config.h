#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels/activation.h"

/// What the blocks of a decoder are made of. Plain numbers, no torch: families fill them from config.json.
namespace automodel::nn {

/// Rotary position embedding, already reduced to numbers.
struct RopeConfig {
  double theta = 10000.0;        ///< base of the frequencies. Su et al. 2021, arXiv:2104.09864
  int64_t rotary_dim = 0;        ///< leading dims of a head that rotate; 0: no rope
  std::vector<double> inv_freq;  ///< [rotary_dim / 2], after scaling (linear, llama3, yarn); fp32 values
  std::vector<double>
      long_inv_freq;  ///< longrope: used when the sequence is longer than original_max_position
  double attention_factor =
      1.0;  ///< multiplies cos and sin (yarn, longrope). Peng et al. 2023, arXiv:2309.00071
  double long_attention_factor = 1.0;  ///< longrope
  int64_t original_max_position = 0;   ///< longrope and dynamic: where the other regime begins; 0: one regime
  double dynamic_factor =
      0.0;  ///< dynamic NTK: theta grows with the length beyond original_max_position; 0: off
};

/// Where normalisation of q and k happens.
enum class QkNorm { kNone, kPerHead };  ///< kPerHead: RMSNorm over head_dim before rope (Qwen3)

struct AttentionConfig {
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t head_dim = 0;
  bool q_bias = false, k_bias = false, v_bias = false, o_bias = false;
  QkNorm qk_norm = QkNorm::kNone;
  int64_t sliding_window =
      0;               ///< a query sees this many latest positions, itself included; 0: all. arXiv:2310.06825
  double scale = 0.0;  ///< of q.k; 0: 1 / sqrt(head_dim)
  int64_t rope = 0;    ///< which of the model's ropes
};

struct MlpConfig {
  int64_t intermediate_size = 0;
  kernels::Activation activation =
      kernels::Activation::kSilu;  ///< gated: act(gate(x)) * up(x). Shazeer 2020, arXiv:2002.05202
  bool bias = false;
};

}  // namespace automodel::nn
