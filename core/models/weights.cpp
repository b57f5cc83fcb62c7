#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/models/decoder_config.h"
#include "core/models/spec_list.h"

namespace automodel::models {
namespace {

void add_norm(SpecList& list, const std::string& role, int64_t size, const NormConfig& norm) {
  if (norm.kind == NormKind::kNone) return;
  list.norm(role, {size}, norm.weight, norm.bias, norm.begins_at_zero());
}

std::vector<int64_t> qk_norm_shape(const AttentionConfig& attention, int64_t heads) {
  switch (attention.qk_norm) {
    case QkNorm::kPerHeadOwn:
      return {heads, attention.head_dim};
    case QkNorm::kWhole:
      return {heads * attention.head_dim};
    default:
      return {attention.head_dim};
  }
}

/// Of the end of a branch.
WeightSpec::Init end_init(const DecoderConfig& config) {
  return config.residual_init_by_depth ? WeightSpec::Init::kNormalByDepth : WeightSpec::Init::kNormal;
}

void add_attention(SpecList& list, const AttentionConfig& attention, const DecoderConfig& config) {
  const int64_t hidden_size = config.hidden_size;
  const int64_t o_size = attention.num_heads * attention.head_dim;
  const int64_t q_size = (attention.output_gate ? 2 : 1) * o_size;
  const int64_t kv_size = attention.num_kv_heads * attention.head_dim;
  // transformers draws parameters of a module before those of modules inside it.
  if (attention.sinks) list.constant("attention.sinks", {attention.num_heads}, WeightSpec::Init::kNormal);
  if (list.has("attention.qkv")) {
    list.fused(
        "attention.qkv", {q_size, kv_size, kv_size}, attention.num_kv_heads, hidden_size, attention.q_bias);
  } else {
    list.linear("attention.q", q_size, hidden_size, attention.q_bias);
    list.linear("attention.k", kv_size, hidden_size, attention.k_bias);
    list.linear("attention.v", kv_size, hidden_size, attention.v_bias);
  }
  list.linear("attention.o", hidden_size, o_size, attention.o_bias, end_init(config));
  if (attention.qk_norm == QkNorm::kNone) return;
  const NormConfig& norm = attention.head_norm;
  list.norm("attention.q_norm",
            qk_norm_shape(attention, attention.num_heads),
            norm.weight,
            norm.bias,
            norm.begins_at_zero());
  list.norm("attention.k_norm",
            qk_norm_shape(attention, attention.num_kv_heads),
            norm.weight,
            norm.bias,
            norm.begins_at_zero());
}

void add_latent_attention(SpecList& list, const LatentAttentionConfig& latent, int64_t hidden_size) {
  const int64_t q_size = latent.num_heads * latent.qk_dim();
  if (latent.q_rank > 0) {
    list.linear("latent.q_down", latent.q_rank, hidden_size, latent.bias);
    add_norm(list, "latent.q_norm", latent.q_rank, latent.latent_norm);
    list.linear("latent.q_up", q_size, latent.q_rank, false);
  } else {
    list.linear("latent.q", q_size, hidden_size, false);
  }
  list.linear("latent.kv_down", latent.kv_rank + latent.rope_dim, hidden_size, latent.bias);
  add_norm(list, "latent.kv_norm", latent.kv_rank, latent.latent_norm);
  list.linear("latent.kv_up", latent.num_heads * (latent.nope_dim + latent.v_dim), latent.kv_rank, false);
  list.linear("latent.o", hidden_size, latent.num_heads * latent.v_dim, latent.bias);
}

void add_mamba2(SpecList& list, const Mamba2Config& mamba2, int64_t hidden_size) {
  using Init = WeightSpec::Init;
  list.conv("mamba2.conv", mamba2.conv_size(), mamba2.conv_kernel, mamba2.conv_bias);
  list.linear(
      "mamba2.in", mamba2.inner_size() + mamba2.conv_size() + mamba2.num_heads, hidden_size, mamba2.in_bias);
  if (mamba2.gate != nn::GateOrder::kGateOnly)
    list.norm("mamba2.norm", {mamba2.inner_size()}, /*weight=*/true, /*bias=*/false);
  list.linear("mamba2.out",
              hidden_size,
              mamba2.inner_size(),
              mamba2.out_bias,
              mamba2.out_by_depth ? Init::kUniformByDepth : Init::kNormal);
  list.constant("mamba2.A_log", {mamba2.num_heads}, Init::kLogIndex);
  list.constant("mamba2.D", {mamba2.num_heads}, Init::kOnes);
  list.constant("mamba2.dt_bias", {mamba2.num_heads}, mamba2.first_steps ? Init::kTimeStep : Init::kOnes);
}

void add_delta_net(SpecList& list, const DeltaNetConfig& delta_net, int64_t hidden_size) {
  using Init = WeightSpec::Init;
  const int64_t keys = delta_net.key_size();
  const int64_t values = delta_net.value_size();
  const int64_t heads = delta_net.num_value_heads;
  list.conv("delta_net.conv", delta_net.conv_size(), delta_net.conv_kernel, /*bias=*/false);
  if (list.has("delta_net.qkvz")) {
    list.fused(
        "delta_net.qkvz", {keys, keys, values, values}, delta_net.num_key_heads, hidden_size, /*bias=*/false);
    list.fused("delta_net.ba", {heads, heads}, delta_net.num_key_heads, hidden_size, /*bias=*/false);
    list.norm("delta_net.norm", {delta_net.value_head_dim}, /*weight=*/true, /*bias=*/false);
    list.linear("delta_net.out", hidden_size, values, false);
  } else {
    list.norm("delta_net.norm", {delta_net.value_head_dim}, /*weight=*/true, /*bias=*/false);
    list.linear("delta_net.out", hidden_size, values, false);
    list.linear("delta_net.qkv", delta_net.conv_size(), hidden_size, false);
    list.linear("delta_net.z", values, hidden_size, false);
    list.linear("delta_net.b", heads, hidden_size, false);
    list.linear("delta_net.a", heads, hidden_size, false);
  }
  list.constant("delta_net.dt_bias", {heads}, Init::kOnes);
  list.constant("delta_net.A_log", {heads}, Init::kLogUniform);
}

void add_mlp(SpecList& list, const MlpConfig& mlp, const DecoderConfig& config) {
  const int64_t hidden_size = config.hidden_size;
  const int64_t width = mlp.intermediate_size;
  if (!mlp.gated) {
    list.linear("mlp.up", width, hidden_size, mlp.up_bias);
  } else if (list.has("mlp.gate_up")) {
    list.linear("mlp.gate_up", 2 * width, hidden_size, mlp.up_bias);
  } else {
    list.linear("mlp.gate", width, hidden_size, mlp.up_bias);
    list.linear("mlp.up", width, hidden_size, mlp.up_bias);
  }
  list.linear("mlp.down", hidden_size, width, mlp.down_bias, end_init(config));
}

void add_shared(SpecList& list, const MoeConfig& moe, int64_t hidden_size) {
  const int64_t width = moe.shared_intermediate_size;
  if (!moe.gate.gated) {
    list.linear("moe.shared.up", width, hidden_size, moe.shared_bias);
  } else if (list.has("moe.shared.gate_up")) {
    list.linear("moe.shared.gate_up", 2 * width, hidden_size, moe.shared_bias);
  } else {
    list.linear("moe.shared.gate", width, hidden_size, moe.shared_bias);
    list.linear("moe.shared.up", width, hidden_size, moe.shared_bias);
  }
  list.linear("moe.shared.down", hidden_size, width, moe.shared_bias);
  if (moe.shared_gate) list.linear("moe.shared_gate", 1, hidden_size, false);
}

void add_moe(SpecList& list, const MoeConfig& moe, int64_t hidden_size) {
  const nn::RouterConfig& router = moe.router;
  const auto add_router = [&] {
    using Init = WeightSpec::Init;
    list.linear("moe.router",
                router.num_experts,
                hidden_size,
                router.bias,
                Init::kNormal,
                /*bias_init=*/Init::kNormal);
  };
  if (!moe.router_last) add_router();
  list.experts("moe.experts", moe.latent_size > 0 ? moe.latent_size : hidden_size, moe);
  if (moe.router_last) add_router();
  if (router.correction) list.buffer("moe.correction", router.num_experts);
  if (moe.shared_intermediate_size > 0) add_shared(list, moe, hidden_size);
  if (moe.latent_size == 0) return;
  list.linear("moe.latent_in", moe.latent_size, hidden_size, moe.latent_bias);
  list.linear("moe.latent_out", hidden_size, moe.latent_size, moe.latent_bias);
}

void add_norms(SpecList& list, const LayerConfig& layer, int64_t hidden_size) {
  const BlockConfig& block = layer.block;
  const auto add = [&](const char* role) { add_norm(list, role, hidden_size, block.norm); };
  const bool two_branches = !layer.mixers.empty() && layer.feed_forward != FeedForwardKind::kNone;
  const bool before = block.residual == Residual::kPreNorm || block.residual == Residual::kSandwich;
  if (before) {
    if (block.mixer_norm && !layer.mixers.empty()) add("norm.mixer");
    if (layer.mixers.empty() || (two_branches && !block.shared_norm)) add("norm.mlp");
  }
  if (block.residual == Residual::kPreNorm) return;
  if (!layer.mixers.empty()) add("norm.mixer_out");
  if (layer.mixers.empty() || two_branches) add("norm.mlp_out");
}

std::vector<WeightSpec> layer_weights(const DecoderConfig& config, size_t index) {
  const LayerConfig& layer = config.layers[index];
  SpecList list(config.names, static_cast<int64_t>(index));
  for (const MixerKind mixer : layer.mixers) {
    switch (mixer) {
      case MixerKind::kAttention:
        add_attention(list, layer.attention, config);
        break;
      case MixerKind::kLatentAttention:
        add_latent_attention(list, layer.latent, config.hidden_size);
        break;
      case MixerKind::kMamba2:
        add_mamba2(list, layer.mamba2, config.hidden_size);
        break;
      case MixerKind::kDeltaNet:
        add_delta_net(list, layer.delta_net, config.hidden_size);
        break;
    }
  }
  switch (layer.feed_forward) {
    case FeedForwardKind::kNone:
      break;
    case FeedForwardKind::kMlp:
      add_mlp(list, layer.mlp, config);
      break;
    case FeedForwardKind::kMoe:
      add_moe(list, layer.moe, config.hidden_size);
      break;
  }
  add_norms(list, layer, config.hidden_size);
  return list.take();
}

std::vector<WeightSpec> embed_weights(const DecoderConfig& config) {
  SpecList list(config.names, -1);
  list.embedding("embed", config.vocab_size, config.hidden_size);
  if (config.embedding.num_positions > 0)
    list.embedding("positions", config.embedding.num_positions, config.hidden_size);
  if (config.embedding.num_token_types > 0)
    list.embedding("token_types", config.embedding.num_token_types, config.hidden_size);
  add_norm(list, "norm.embed", config.hidden_size, config.embedding.norm);
  return list.take();
}

void add_transform(SpecList& list,
                   const std::string& head,
                   const TransformConfig& transform,
                   int64_t hidden_size) {
  if (!transform.activation) return;
  list.linear(head + ".transform", hidden_size, hidden_size, transform.bias);
  add_norm(list, "norm." + head, hidden_size, transform.norm);
}

std::vector<WeightSpec> head_weights(const DecoderConfig& config) {
  SpecList list(config.names, -1);
  add_norm(list, "norm.final", config.hidden_size, config.norm);
  if (config.task == Task::kClassification) {
    const ClassifierConfig& classifier = config.classifier;
    add_transform(list, "classifier", classifier.transform, config.hidden_size);
    list.linear("classifier", classifier.num_labels, config.hidden_size, classifier.bias);
  }
  if (!predicts_tokens(config)) return list.take();
  add_transform(list, "head", config.head.transform, config.hidden_size);
  if (!config.head.tied) {
    list.linear("head", config.vocab_size, config.hidden_size, config.head.bias);
  } else if (config.head.bias) {
    list.norm("head", {config.vocab_size}, /*weight=*/false, /*bias=*/true);
  }
  return list.take();
}

}  // namespace

std::vector<SegmentWeights> model_weights(const DecoderConfig& config) {
  std::vector<SegmentWeights> segments;
  segments.push_back({"embed", embed_weights(config)});
  for (size_t i = 0; i < config.layers.size(); ++i) {
    segments.push_back({"layers." + std::to_string(i), layer_weights(config, i)});
  }
  segments.push_back({"head", head_weights(config)});
  return segments;
}

bool is_causal(const DecoderConfig& config) {
  return std::ranges::all_of(config.layers, [](const LayerConfig& layer) { return layer.attention.causal; });
}

bool has_dropout(const DecoderConfig& config) {
  return config.embedding.dropout > 0 || std::ranges::any_of(config.layers, [](const LayerConfig& layer) {
           return layer.block.dropout > 0 || layer.attention.dropout > 0;
         });
}

int64_t learned_positions(const DecoderConfig& config) {
  const EmbeddingConfig& embedding = config.embedding;
  if (embedding.num_positions == 0) return std::numeric_limits<int64_t>::max();
  return embedding.num_positions - embedding.position_offset;
}

void check_positions(const DecoderConfig& config, int64_t tokens) {
  check(tokens <= learned_positions(config),
        ErrorCode::kData,
        "a text of ",
        tokens,
        " tokens: the model has learnt ",
        learned_positions(config),
        " positions and knows no others; texts must be shorter (dataset.seq_length in a recipe)");
}

namespace {

/// Adds what a mixer does beside its projections.
void add_mixer(Cost& cost, const LayerConfig& layer, MixerKind mixer) {
  const auto count = [](int64_t products) { return 6.0 * static_cast<double>(products); };
  switch (mixer) {
    case MixerKind::kAttention:
      cost.flops_a_position += count(layer.attention.num_heads * 2 * layer.attention.head_dim);
      return;
    case MixerKind::kLatentAttention:
      cost.flops_a_position += count(layer.latent.num_heads * (layer.latent.qk_dim() + layer.latent.v_dim));
      return;
    case MixerKind::kMamba2:
      cost.flops += count(2 * layer.mamba2.inner_size() * layer.mamba2.state_size);
      return;
    case MixerKind::kDeltaNet:
      cost.flops += count(3 * layer.delta_net.value_size() * layer.delta_net.key_head_dim);
      return;
  }
}

/// FP8: every matrix in a layer but the router's. MXFP4: the matrices of the experts.
bool is_quantized(const WeightSpec& weight, QuantizationConfig::Kind kind) {
  switch (kind) {
    case QuantizationConfig::Kind::kNone:
      return false;
    case QuantizationConfig::Kind::kFp8Blocks: {
      const Part part = part_of(weight.role);
      const bool is_matrix =
          weight.kind == WeightSpec::Kind::kLinear || weight.kind == WeightSpec::Kind::kExperts;
      return is_matrix && part != Part::kHead && part != Part::kRouter;
    }
    case QuantizationConfig::Kind::kMxfp4:
      return weight.kind == WeightSpec::Kind::kExperts;
  }
  fail(ErrorCode::kInternal, "quantization kind ", static_cast<int>(kind));
}

int64_t file_bytes(const WeightSpec& weight, const DecoderConfig& config) {
  constexpr int64_t kFloat = sizeof(float);
  const int64_t size = num_elements(weight.shape);
  const QuantizationConfig& quantization = config.quantization;
  if (weight.kind == WeightSpec::Kind::kBuffer) return size * kFloat;
  if (!is_quantized(weight, quantization.kind)) return size * size_of(dtype_in_files(config));
  if (quantization.kind == QuantizationConfig::Kind::kMxfp4) return size / 2 + size / 32;
  const auto blocks = [](int64_t length, int64_t block) { return (length + block - 1) / block; };
  int64_t scales = 0;
  for (const FileTensor& file : weight.files)
    scales += blocks(file.shape.at(file.shape.size() - 2), quantization.block_rows) *
              blocks(file.shape.back(), quantization.block_columns);
  return size + scales * kFloat;
}

}  // namespace

DType dtype_in_files(const DecoderConfig& config) {
  const bool is_mxfp4 = config.quantization.kind == QuantizationConfig::Kind::kMxfp4;
  return config.stored_dtype.value_or(is_mxfp4 ? DType::kBFloat16 : DType::kFloat32);
}

Cost cost_of(const DecoderConfig& config) {
  Cost cost;
  double active = 0;
  const bool shares_table = predicts_tokens(config) && config.head.tied;
  double in_matmuls = shares_table ? static_cast<double>(config.vocab_size * config.hidden_size) : 0.0;
  for (const SegmentWeights& segment : model_weights(config)) {
    for (const WeightSpec& weight : segment.weights) {
      cost.file_bytes += file_bytes(weight, config);
      if (weight.kind == WeightSpec::Kind::kBuffer) continue;
      const int64_t size = num_elements(weight.shape);
      const double passed = weight.active * static_cast<double>(size);
      cost.parameters += size;
      active += passed;
      PartSize& part = cost.parts.at(static_cast<size_t>(part_of(weight.role)));
      part.parameters += size;
      part.active += passed;
      if (weight.kind == WeightSpec::Kind::kLinear || weight.kind == WeightSpec::Kind::kExperts)
        in_matmuls += passed;
    }
  }
  cost.active_parameters = static_cast<int64_t>(std::llround(active));
  cost.flops = 6.0 * in_matmuls;
  for (const LayerConfig& layer : config.layers) {
    for (const MixerKind mixer : layer.mixers) add_mixer(cost, layer, mixer);
  }
  return cost;
}

}  // namespace automodel::models
