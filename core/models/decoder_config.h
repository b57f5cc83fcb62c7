#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/nn/block_config.h"

/// What a decoder-only language model is made of, whatever family it comes from. Filled from config.json by a
/// family file (share/models); every field's default is the neutral choice.
namespace automodel::models {

// What the blocks are made of is declared beside them.
using kernels::Activation;
using nn::AttentionConfig;
using nn::MlpConfig;
using nn::QkNorm;
using nn::RopeConfig;

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
