#include "core/weights/parameters.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

void add_norm(ParameterList& list, const std::string& role, int64_t size, const arch::NormConfig& norm) {
  if (norm.kind == kernels::NormKind::kNone) return;
  list.norm(role, {size}, norm.weight, norm.bias, norm.begins_at_zero());
}

std::vector<int64_t> qk_norm_shape(const arch::AttentionConfig& attention, int64_t heads) {
  switch (attention.qk_norm) {
    case arch::QkNorm::kPerHeadWeights:
      return {heads, attention.head_dim};
    case arch::QkNorm::kWhole:
      return {heads * attention.head_dim};
    default:
      return {attention.head_dim};
  }
}

/// Of the end of a branch.
ParameterSpec::Init end_init(const arch::DecoderConfig& config) {
  return config.residual_init_by_depth ? ParameterSpec::Init::kNormalByDepth : ParameterSpec::Init::kNormal;
}

void add_attention(ParameterList& list,
                   const arch::AttentionConfig& attention,
                   const arch::DecoderConfig& config) {
  const int64_t hidden_size = config.hidden_size;
  const int64_t o_size = attention.num_heads * attention.head_dim;
  const int64_t q_size = (attention.output_gate ? 2 : 1) * o_size;
  const int64_t kv_size = attention.num_kv_heads * attention.head_dim;
  // transformers draws parameters of a module before those of modules inside it.
  if (attention.sinks) list.constant("attention.sinks", {attention.num_heads}, ParameterSpec::Init::kNormal);
  if (list.has("attention.qkv")) {
    list.fused(
        "attention.qkv", {q_size, kv_size, kv_size}, attention.num_kv_heads, hidden_size, attention.q_bias);
  } else {
    list.linear("attention.q", q_size, hidden_size, attention.q_bias);
    list.linear("attention.k", kv_size, hidden_size, attention.k_bias);
    list.linear("attention.v", kv_size, hidden_size, attention.v_bias);
  }
  list.linear("attention.o", hidden_size, o_size, attention.o_bias, end_init(config));
  if (attention.qk_norm == arch::QkNorm::kNone) return;
  const arch::NormConfig& norm = attention.head_norm;
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

void add_latent_attention(ParameterList& list,
                          const arch::LatentAttentionConfig& latent,
                          int64_t hidden_size) {
  const int64_t q_size = latent.num_heads * latent.qk_head_dim();
  if (latent.q_lora_rank > 0) {
    list.linear("latent.q_down", latent.q_lora_rank, hidden_size, latent.bias);
    add_norm(list, "latent.q_norm", latent.q_lora_rank, latent.latent_norm);
    list.linear("latent.q_up", q_size, latent.q_lora_rank, false);
  } else {
    list.linear("latent.q", q_size, hidden_size, false);
  }
  list.linear("latent.kv_down", latent.kv_lora_rank + latent.qk_rope_head_dim, hidden_size, latent.bias);
  add_norm(list, "latent.kv_norm", latent.kv_lora_rank, latent.latent_norm);
  list.linear("latent.kv_up",
              latent.num_heads * (latent.qk_nope_head_dim + latent.v_head_dim),
              latent.kv_lora_rank,
              false);
  list.linear("latent.o", hidden_size, latent.num_heads * latent.v_head_dim, latent.bias);
}

void add_mamba2(ParameterList& list, const arch::Mamba2Config& mamba2, int64_t hidden_size) {
  using Init = ParameterSpec::Init;
  list.conv("mamba2.conv", mamba2.conv_size(), mamba2.conv_kernel, mamba2.conv_bias);
  list.linear(
      "mamba2.in", mamba2.inner_size() + mamba2.conv_size() + mamba2.num_heads, hidden_size, mamba2.in_bias);
  if (mamba2.gate != kernels::GateOrder::kGateOnly)
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

void add_delta_net(ParameterList& list, const arch::DeltaNetConfig& delta_net, int64_t hidden_size) {
  using Init = ParameterSpec::Init;
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

void add_mlp(ParameterList& list, const arch::MlpConfig& mlp, const arch::DecoderConfig& config) {
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

void add_shared(ParameterList& list, const arch::MoeConfig& moe, int64_t hidden_size) {
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

void add_moe(ParameterList& list, const arch::MoeConfig& moe, int64_t hidden_size) {
  const kernels::RouterConfig& router = moe.router;
  const auto add_router = [&] {
    using Init = ParameterSpec::Init;
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
  if (router.score_bias) list.buffer("moe.score_bias", router.num_experts);
  if (moe.shared_intermediate_size > 0) add_shared(list, moe, hidden_size);
  if (moe.latent_size == 0) return;
  list.linear("moe.latent_in", moe.latent_size, hidden_size, moe.latent_bias);
  list.linear("moe.latent_out", hidden_size, moe.latent_size, moe.latent_bias);
}

void add_norms(ParameterList& list, const arch::LayerConfig& layer, int64_t hidden_size) {
  const arch::BlockConfig& block = layer.block;
  const auto add = [&](const char* role) { add_norm(list, role, hidden_size, block.norm); };
  const bool two_branches = !layer.mixers.empty() && layer.feed_forward != arch::FeedForwardKind::kNone;
  const bool before =
      block.residual == arch::Residual::kPreNorm || block.residual == arch::Residual::kSandwich;
  if (before) {
    if (block.mixer_norm && !layer.mixers.empty()) add("norm.mixer");
    if (layer.mixers.empty() || (two_branches && !block.shared_norm)) add("norm.mlp");
  }
  if (block.residual == arch::Residual::kPreNorm) return;
  if (!layer.mixers.empty()) add("norm.mixer_out");
  if (layer.mixers.empty() || two_branches) add("norm.mlp_out");
}

std::vector<ParameterSpec> layer_weights(const arch::DecoderConfig& config, size_t index) {
  const arch::LayerConfig& layer = config.layers[index];
  ParameterList list(config.names, static_cast<int64_t>(index));
  for (const arch::MixerKind mixer : layer.mixers) {
    switch (mixer) {
      case arch::MixerKind::kAttention:
        add_attention(list, layer.attention, config);
        break;
      case arch::MixerKind::kLatentAttention:
        add_latent_attention(list, layer.latent, config.hidden_size);
        break;
      case arch::MixerKind::kMamba2:
        add_mamba2(list, layer.mamba2, config.hidden_size);
        break;
      case arch::MixerKind::kDeltaNet:
        add_delta_net(list, layer.delta_net, config.hidden_size);
        break;
    }
  }
  switch (layer.feed_forward) {
    case arch::FeedForwardKind::kNone:
      break;
    case arch::FeedForwardKind::kMlp:
      add_mlp(list, layer.mlp, config);
      break;
    case arch::FeedForwardKind::kMoe:
      add_moe(list, layer.moe, config.hidden_size);
      break;
  }
  add_norms(list, layer, config.hidden_size);
  return list.take();
}

std::vector<ParameterSpec> embed_weights(const arch::DecoderConfig& config) {
  ParameterList list(config.names, -1);
  list.embedding("embed", config.vocab_size, config.hidden_size);
  if (config.embedding.num_positions > 0)
    list.embedding("positions", config.embedding.num_positions, config.hidden_size);
  if (config.embedding.num_token_types > 0)
    list.embedding("token_types", config.embedding.num_token_types, config.hidden_size);
  add_norm(list, "norm.embed", config.hidden_size, config.embedding.norm);
  return list.take();
}

void add_transform(ParameterList& list,
                   const std::string& head,
                   const arch::TransformConfig& transform,
                   int64_t hidden_size) {
  if (!transform.activation) return;
  list.linear(head + ".transform", hidden_size, hidden_size, transform.bias);
  add_norm(list, "norm." + head, hidden_size, transform.norm);
}

std::vector<ParameterSpec> head_weights(const arch::DecoderConfig& config) {
  ParameterList list(config.names, -1);
  add_norm(list, "norm.final", config.hidden_size, config.norm);
  if (config.task == arch::Task::kClassification) {
    const arch::ClassifierConfig& classifier = config.classifier;
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

std::vector<SegmentWeights> model_weights(const arch::DecoderConfig& config) {
  std::vector<SegmentWeights> segments;
  segments.push_back({"embed", embed_weights(config)});
  for (size_t i = 0; i < config.layers.size(); ++i) {
    segments.push_back({"layers." + std::to_string(i), layer_weights(config, i)});
  }
  segments.push_back({"head", head_weights(config)});
  return segments;
}

}  // namespace automodel::weights
