#pragma once

#include <cstdint>
#include <vector>

#include "core/kernels/activation.h"
#include "core/kernels/norm_kind.h"

/// What the blocks of a decoder are made of. Plain numbers, no torch: families fill them from config.json.
namespace automodel::arch {

/// A normalisation of the residual stream.
struct NormConfig {
  kernels::NormKind kind = kernels::NormKind::kRms;
  double eps = 1e-6;
  bool weight = true;  ///< false: nothing is learnt (OLMo 1, arXiv:2402.00838)
  bool bias = false;
  double weight_offset = 0.0;  ///< added to the weight: 1 where files hold the distance from one (Gemma)
  bool begins_at_one = false;  ///< the weight when drawn at random, whatever the offset (Nemotron)

  /// Whether the weight begins at zero.
  bool begins_at_zero() const { return weight_offset != 0 && !begins_at_one; }
};

/// Rotary position embedding, already reduced to numbers.
struct RopeConfig {
  double theta = 10000.0;        ///< base of the frequencies. Su et al. 2021, arXiv:2104.09864
  int64_t rotary_dim = 0;        ///< leading dims of a head that rotate; 0: no rope
  std::vector<double> inv_freq;  ///< [rotary_dim / 2], after scaling (linear, llama3, yarn); fp32 values
  std::vector<double>
      long_inv_freq;         ///< longrope: used when the sequence is longer than original_max_position
  bool interleaved = false;  ///< dims 2i and 2i + 1 turn together, not i and i + rotary_dim / 2 (GPT-J, GLM)
  double attention_factor =
      1.0;  ///< multiplies cos and sin (yarn, longrope). Peng et al. 2023, arXiv:2309.00071
  double long_attention_factor = 1.0;  ///< longrope
  int64_t original_max_position = 0;   ///< longrope and dynamic: where the other regime begins; 0: one regime
  double dynamic_factor =
      0.0;  ///< dynamic NTK: theta grows with the length beyond original_max_position; 0: off
};

/// Normalisation of queries and keys, before they rotate.
enum class QkNorm {
  kNone,
  kPerHead,         ///< over head_dim, one weight for all heads. Qwen3, Gemma 3
  kPerHeadWeights,  ///< over head_dim, a weight for each head. Cohere, StableLM 2
  kWhole,           ///< over all heads together. OLMo 2, arXiv:2501.00656; MiniMax-M2
};

/// Queries grow with the logarithm of their position: times 1 + beta log(1 + floor((position + offset) /
/// interval)). Llama 4 (offset 1), Ministral 3; Nakanishi 2025, arXiv:2501.19399.
struct QueryScaleConfig {
  double beta = 0.0;  ///< 0: off
  int64_t interval = 8192;
  int64_t offset = 0;
};

struct AttentionConfig {
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t head_dim = 0;
  bool q_bias = false, k_bias = false, v_bias = false, o_bias = false;
  QkNorm qk_norm = QkNorm::kNone;
  NormConfig head_norm;          ///< what qk_norm applies
  bool norm_after_rope = false;  ///< qk_norm follows the rotation (Hunyuan; Llama 4, without a weight)
  double clip_qkv = 0.0;  ///< q, k and v are clamped to this distance from 0; 0: off. OLMo, arXiv:2402.00838
  double softcap = 0.0;   ///< scores become cap tanh(score / cap); 0: off. Gemma 2, arXiv:2408.00118
  int64_t sliding_window =
      0;               ///< a query sees this many latest positions, itself included; 0: all. arXiv:2310.06825
  double scale = 0.0;  ///< of q.k; 0: 1 / sqrt(head_dim)
  int64_t rope = 0;    ///< which of the model's ropes; -1: the layer does not rotate
  QueryScaleConfig query_scale;
  bool causal = true;           ///< false: every token of a document sees all of it (encoders)
  int64_t chunk = 0;            ///< a query sees only keys with equal position / chunk (Llama 4); 0: all
  std::vector<double> alibi{};  ///< [num_heads]: minus slope x distance joins scores. arXiv:2108.12409
  bool sinks = false;           ///< a learned key without a value for each head. GPT-OSS; arXiv:2309.17453

  /// The query projection gives every head its query, then a gate; the head's output is multiplied by
  /// sigmoid(gate). Qwen3-Next; arXiv:2505.06708
  bool output_gate = false;
  double dropout = 0.0;       ///< of probabilities, in training
  uint64_t dropout_site = 0;  ///< the first of num_heads numbers of dropouts
};

struct MlpConfig {
  int64_t intermediate_size = 0;
  bool gated = true;  ///< down(act(gate(x)) * up(x)), Shazeer 2020, arXiv:2002.05202; else down(act(up(x)))
  kernels::Activation activation = kernels::Activation::kSilu;
  double gate_multiplier = 1.0;  ///< of gate(x), before the activation. Falcon-H1, arXiv:2507.22448
  bool up_bias = false;          ///< of gate and up
  bool down_bias = false;
};

/// How the branches of a block and the residual stream x are joined; f: a mixer or the MLP.
enum class Residual {
  kPreNorm,     ///< x + f(norm(x)). Xiong et al. 2020, arXiv:2002.04745
  kSandwich,    ///< x + norm(f(norm(x))). Gemma 2, arXiv:2408.00118
  kOutputNorm,  ///< x + norm(f(x)). OLMo 2, arXiv:2501.00656
  kPostLn,      ///< norm(x + f(x)). Vaswani et al. 2017, arXiv:1706.03762; BERT
};

struct BlockConfig {
  Residual residual = Residual::kPreNorm;
  bool parallel = false;     ///< mixer and MLP read the same x, both are added to it. GPT-J, GPT-NeoX, Cohere
  bool mixer_norm = true;    ///< false: what the mixer reads is normalised already (ModernBERT's first layer)
  bool shared_norm = false;  ///< parallel: one norm before both (Phi-2, Cohere)
  double multiplier = 1.0;   ///< of what a branch adds (Granite)
  double dropout = 0.0;      ///< of what a branch adds, in training. Srivastava et al. 2014
  NormConfig norm;           ///< of every norm on the residual stream
};

}  // namespace automodel::arch
