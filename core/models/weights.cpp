#include "core/models/decoder_config.h"

namespace automodel::models {
namespace {

using Init = WeightSpec::Init;

/// A linear layer: weight [out, in], then its bias.
void add_linear(
    std::vector<WeightSpec>& weights, const std::string& name, int64_t out, int64_t in, bool bias) {
  weights.push_back({name + ".weight", {out, in}, Init::kNormal});
  if (bias) weights.push_back({name + ".bias", {out}, Init::kZeros});
}

void add_norm(std::vector<WeightSpec>& weights, const std::string& name, int64_t size) {
  weights.push_back({name + ".weight", {size}, Init::kOnes});
}

/// In the order in which transformers defines the modules: random initialisation replays it.
std::vector<WeightSpec> layer_weights(const LayerConfig& layer,
                                      int64_t hidden_size,
                                      const std::string& prefix) {
  std::vector<WeightSpec> weights;
  const AttentionConfig& attention = layer.attention;
  const int64_t q_size = attention.num_heads * attention.head_dim;
  const int64_t kv_size = attention.num_kv_heads * attention.head_dim;
  add_linear(weights, prefix + "self_attn.q_proj", q_size, hidden_size, attention.q_bias);
  add_linear(weights, prefix + "self_attn.k_proj", kv_size, hidden_size, attention.k_bias);
  add_linear(weights, prefix + "self_attn.v_proj", kv_size, hidden_size, attention.v_bias);
  add_linear(weights, prefix + "self_attn.o_proj", hidden_size, q_size, attention.o_bias);
  if (attention.qk_norm == QkNorm::kPerHead) {
    add_norm(weights, prefix + "self_attn.q_norm", attention.head_dim);
    add_norm(weights, prefix + "self_attn.k_norm", attention.head_dim);
  }
  const MlpConfig& mlp = layer.mlp;
  add_linear(weights, prefix + "mlp.gate_proj", mlp.intermediate_size, hidden_size, mlp.bias);
  add_linear(weights, prefix + "mlp.up_proj", mlp.intermediate_size, hidden_size, mlp.bias);
  add_linear(weights, prefix + "mlp.down_proj", hidden_size, mlp.intermediate_size, mlp.bias);
  add_norm(weights, prefix + "input_layernorm", hidden_size);
  add_norm(weights, prefix + "post_attention_layernorm", hidden_size);
  return weights;
}

int64_t num_elements(const WeightSpec& weight) {
  int64_t n = 1;
  for (const int64_t dim : weight.shape) n *= dim;
  return n;
}

}  // namespace

std::vector<SegmentWeights> model_weights(const DecoderConfig& config) {
  std::vector<SegmentWeights> segments;
  segments.push_back(
      {"embed", {{"model.embed_tokens.weight", {config.vocab_size, config.hidden_size}, Init::kNormal}}});
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const std::string name = "layers." + std::to_string(i);
    segments.push_back({name, layer_weights(config.layers[i], config.hidden_size, "model." + name + ".")});
  }
  SegmentWeights& head = segments.emplace_back(SegmentWeights{"head", {}});
  add_norm(head.weights, "model.norm", config.hidden_size);
  if (!config.tie_word_embeddings) {
    add_linear(head.weights, "lm_head", config.vocab_size, config.hidden_size, false);
  }
  return segments;
}

int64_t num_parameters(const DecoderConfig& config) {
  int64_t total = 0;
  for (const SegmentWeights& segment : model_weights(config)) {
    for (const WeightSpec& weight : segment.weights) total += num_elements(weight);
  }
  return total;
}

double flops_per_token(const DecoderConfig& config, int64_t length) {
  double in_matmuls = 0;
  for (const SegmentWeights& segment : model_weights(config)) {
    for (const WeightSpec& weight : segment.weights) {
      const bool only_looked_up = segment.segment == "embed" && !config.tie_word_embeddings;
      if (weight.shape.size() == 2 && !only_looked_up)
        in_matmuls += static_cast<double>(num_elements(weight));
    }
  }
  double attention = 0;
  for (const LayerConfig& layer : config.layers) {
    attention += 12.0 * static_cast<double>(layer.attention.num_heads * layer.attention.head_dim * length);
  }
  return 6.0 * in_matmuls + attention;
}

}  // namespace automodel::models
