#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/arch/block_config.h"
#include "core/arch/delta_net_config.h"
#include "core/arch/head_config.h"
#include "core/arch/latent_attention_config.h"
#include "core/arch/mamba2_config.h"
#include "core/arch/moe_config.h"
#include "core/arch/weight_names.h"
#include "core/base/dtype.h"

/// What a model of one stack of layers is made of, decoder or encoder, whatever family it comes from. Filled
/// from config.json by a family file (share/models); every field's default is the neutral choice.
namespace automodel::arch {

/// What a model computes of its tokens.
enum class Task {
  kNextToken,       ///< a logit a word of the vocabulary, of the token behind each position
  kMaskedToken,     ///< the same of the token at the position (BERT)
  kClassification,  ///< a logit a label, of the whole row
  kEmbedding,       ///< a vector, of the whole row
};

/// What is asked of a checkpoint, in place of what its class says.
struct TaskRequest {
  std::optional<Task> task;
  std::optional<Pooling> pooling;  ///< kClassification, kEmbedding
  bool bidirectional = false;      ///< attention of a decoder sees what follows, too
};

/// What mixes tokens in a layer.
enum class MixerKind { kAttention, kLatentAttention, kMamba2, kDeltaNet };

/// What works on each token by itself.
enum class FeedForwardKind { kNone, kMlp, kMoe };

/// Numbers around a branch of a block: of what it reads, and of what it adds (Falcon-H1, arXiv:2507.22448).
struct Multipliers {
  double in = 1.0;
  double out = 1.0;
};

struct LayerConfig {
  std::vector<MixerKind> mixers = {MixerKind::kAttention};  ///< several: side by side, their outputs added
  FeedForwardKind feed_forward = FeedForwardKind::kMlp;
  BlockConfig block;
  AttentionConfig attention;  ///< read where a mixer is of this kind; so are the others
  LatentAttentionConfig latent;
  Mamba2Config mamba2;
  DeltaNetConfig delta_net;
  MlpConfig mlp;
  MoeConfig moe;
  Multipliers attention_multipliers, mamba2_multipliers, mlp_multipliers;
};

/// Token ids to the residual stream.
struct EmbeddingConfig {
  double scale = 1.0;  ///< of the looked-up rows: sqrt(hidden_size) in Gemma, a number in Granite and MiniCPM

  /// Its row is zero when weights are drawn at random, and its lookup passes no gradient to that row (torch's
  /// padding_idx); a tied head still does. In [0, vocab_size).
  std::optional<int64_t> pad_token_id;
  int64_t num_positions = 0;    ///< rows of a learned table of positions, added (GPT-2, BERT); 0: none
  int64_t position_offset = 0;  ///< row of position 0 (RoBERTa: 2)

  /// Tokens with the id of padding take the row before position_offset, and positions count the others alone.
  bool positions_skip_padding = false;
  int64_t num_token_types = 0;  ///< rows of a table of token types, added (BERT's segments); 0: none
  NormConfig norm{.kind = kernels::NormKind::kNone};  ///< of the sum
  double dropout = 0.0;                               ///< of the normalised sum, in training
};

/// The residual stream to logits of tokens.
struct HeadConfig {
  bool tied = false;           ///< the weight is the embedding's
  bool bias = false;           ///< Phi-2
  double logit_scale = 1.0;    ///< multiplies logits (Cohere; Granite and MiniCPM divide)
  double logit_softcap = 0.0;  ///< logits become cap tanh(logits / cap); 0: off. Gemma 2, arXiv:2408.00118
  bool normalised = false;     ///< each row of the weight has length one (Baichuan 2, arXiv:2309.10305)
  TransformConfig transform;
};

/// How files hold quantised weights; they are made plain numbers while they are loaded.
struct QuantizationConfig {
  enum class Kind {
    kNone,
    kFp8Blocks,  ///< float8 e4m3, NAME_scale_inv for each block. DeepSeek-V3, arXiv:2412.19437
    kMxfp4,      ///< NAME_blocks and NAME_scales, 32 values a scale. OCP Microscaling 1.0; GPT-OSS
  } kind = Kind::kNone;
  int64_t block_rows = 128, block_columns = 128;  ///< of kFp8Blocks
};

struct DecoderConfig {
  std::string architecture;  ///< architectures[0] of config.json
  std::string family;        ///< name of the family file
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t max_position_embeddings = 0;
  double initializer_range = 0.02;
  bool residual_init_by_depth = false;  ///< ends of branches begin over sqrt(2 layers): GPT-2
  Task task = Task::kNextToken;
  EmbeddingConfig embedding;
  NormConfig norm;              ///< of the last norm, before the head
  HeadConfig head;              ///< of tasks that predict tokens
  ClassifierConfig classifier;  ///< of kClassification; pooling of kEmbedding, too
  QuantizationConfig quantization;
  std::optional<DType> stored_dtype;  ///< dtype / torch_dtype of config.json
  std::vector<RopeConfig> ropes;
  std::vector<LayerConfig> layers;
  WeightNames names;
};

/// Whether the task has logits of the vocabulary.
inline bool predicts_tokens(const DecoderConfig& config) {
  return config.task == Task::kNextToken || config.task == Task::kMaskedToken;
}

/// Whether no token sees one behind it.
bool is_causal(const DecoderConfig& config);

/// Whether anything is dropped in training.
bool has_dropout(const DecoderConfig& config);

/// Tokens of a text that a learned table of positions has rows for; without one the largest int64.
int64_t learned_positions(const DecoderConfig& config);

/// Throws Error(kData) for a text of more tokens than that.
void check_positions(const DecoderConfig& config, int64_t tokens);

/// The type of the weights in files: config.json's; where that is silent, bfloat16 beside MXFP4, as
/// transformers takes it, else float32.
DType dtype_in_files(const DecoderConfig& config);

}  // namespace automodel::arch
