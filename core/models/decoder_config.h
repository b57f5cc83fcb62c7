#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"

/// What a decoder-only language model is made of, whatever family it comes from. Filled from config.json by a
/// family file (share/models); every field's default is the neutral choice.
namespace automodel::models {

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

enum class Activation { kSilu, kGelu, kGeluTanh, kRelu };

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
  int64_t rope = 0;    ///< index into DecoderConfig::ropes
};

struct MlpConfig {
  int64_t intermediate_size = 0;
  Activation activation = Activation::kSilu;  ///< gated: act(gate(x)) * up(x). Shazeer 2020, arXiv:2002.05202
  bool bias = false;
};

struct LayerConfig {
  AttentionConfig attention;
  MlpConfig mlp;
};

struct DecoderConfig {
  std::string architecture;  ///< architectures[0] of config.json
  std::string family;        ///< name of the family file
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  bool tie_word_embeddings = false;
  double initializer_range = 0.02;

  /// Its embedding row is zero when weights are drawn at random, and its lookup passes no gradient to that
  /// row (torch's padding_idx); a tied head still does. In [0, vocab_size).
  std::optional<int64_t> pad_token_id;
  std::optional<DType> stored_dtype;  ///< dtype / torch_dtype of config.json
  std::vector<RopeConfig> ropes;
  std::vector<LayerConfig> layers;

  /// Tensors that a checkpoint may hold and nobody reads; '*' stands for any text without a dot.
  std::vector<std::string> ignored_weights;
};

/// One parameter as the checkpoint stores it.
struct WeightSpec {
  std::string name;  ///< Hugging Face's: model.layers.0.self_attn.q_proj.weight
  std::vector<int64_t> shape;
  enum class Init { kNormal, kZeros, kOnes } init;  ///< when drawn at random
};

/// Every parameter in the order of the model's definition (embedding, layers, norm, head); a tied head is
/// absent. Segment s of the model owns those between its markers: see model_weights.
struct SegmentWeights {
  std::string segment;  ///< "embed", "layers.0", ..., "head"
  std::vector<WeightSpec> weights;
};

std::vector<SegmentWeights> model_weights(const DecoderConfig& config);

/// Number of parameters, tied ones once.
int64_t num_parameters(const DecoderConfig& config);

/// Forward and backward floating point operations for one token in a sequence of `length` tokens:
/// 6 for each parameter that multiplies (embedding lookup not counted, a tied head counted once) plus
/// 12 x num_layers x num_heads x head_dim x length of attention (causality not discounted).
double flops_per_token(const DecoderConfig& config, int64_t length);

}  // namespace automodel::models
