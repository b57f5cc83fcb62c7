#include "core/models/make_segments.h"

#include <algorithm>

#include "core/models/segment_parameters.h"
#include "core/models/unit_types.h"
#include "core/nn/decoder_segments.h"
#include "core/nn/moe.h"

namespace automodel::models {
namespace {

using RopeTables = std::vector<std::shared_ptr<const nn::RopeTable>>;

nn::Attention make_attention(const arch::LayerConfig& layer,
                             const SegmentParameters& find,
                             const RopeTables& ropes) {
  nn::Attention attention;
  attention.config = layer.attention;
  attention.config.dropout_site = find.dropout_site("attention", 0);
  attention.input_norm = ops::Norm::none();
  attention.qkv = find.fused_or("attention.qkv", {"attention.q", "attention.k", "attention.v"});
  attention.output = find.linear({"attention.o"});
  if (layer.attention.qk_norm != arch::QkNorm::kNone) {
    attention.q_norm = find.norm("attention.q_norm", layer.attention.head_norm);
    attention.k_norm = find.norm("attention.k_norm", layer.attention.head_norm);
  }
  if (layer.attention.sinks) attention.sinks = find.get("attention.sinks");
  if (layer.attention.rope >= 0) attention.rope = ropes.at(static_cast<size_t>(layer.attention.rope));
  return attention;
}

nn::LatentAttention make_latent_attention(const arch::LayerConfig& layer,
                                          const SegmentParameters& find,
                                          const RopeTables& ropes) {
  const arch::LatentAttentionConfig& config = layer.latent;
  nn::LatentAttention attention;
  attention.config = config;
  attention.config.dropout_site = find.dropout_site("attention", 0);
  attention.input_norm = ops::Norm::none();
  if (config.q_lora_rank > 0) {
    attention.q_down = find.linear({"latent.q_down"});
    attention.q_norm = find.norm("latent.q_norm", config.latent_norm);
  }
  attention.q_up = find.linear({config.q_lora_rank > 0 ? "latent.q_up" : "latent.q"});
  attention.kv_down = find.linear({"latent.kv_down"});
  attention.kv_norm = find.norm("latent.kv_norm", config.latent_norm);
  attention.kv_up = find.linear({"latent.kv_up"});
  attention.output = find.linear({"latent.o"});
  attention.rope = ropes.at(static_cast<size_t>(config.rope));
  return attention;
}

/// A depthwise convolution with SiLU.
ops::CausalConv make_conv(const SegmentParameters& find, const std::string& role) {
  return {find.get(role + ".weight"), find.find(role + ".bias"), /*silu=*/true};
}

nn::Mamba2 make_mamba2(const arch::LayerConfig& layer, const SegmentParameters& find) {
  const arch::Mamba2Config& config = layer.mamba2;
  nn::Mamba2 mamba2;
  mamba2.config = config;
  mamba2.input_norm = ops::Norm::none();
  mamba2.in_proj = find.linear({"mamba2.in"});
  mamba2.conv = make_conv(find, "mamba2.conv");
  mamba2.space = {.a_log = find.get("mamba2.A_log"),
                  .dt_bias = find.get("mamba2.dt_bias"),
                  .d = find.get("mamba2.D"),
                  .num_heads = config.num_heads,
                  .head_dim = config.head_dim,
                  .num_groups = config.num_groups,
                  .state_size = config.state_size,
                  .dt_min = config.dt_min,
                  .dt_max = config.dt_max};
  mamba2.norm = {.weight = find.find("mamba2.norm.weight"),
                 .eps = config.norm_eps,
                 .group = config.inner_size() / config.norm_groups,
                 .order = config.gate};
  mamba2.out_proj = find.linear({"mamba2.out"});
  return mamba2;
}

nn::DeltaNet make_delta_net(const arch::LayerConfig& layer, const SegmentParameters& find) {
  const arch::DeltaNetConfig& config = layer.delta_net;
  nn::DeltaNet delta_net;
  delta_net.config = config;
  delta_net.input_norm = ops::Norm::none();
  delta_net.in_proj = find.has("delta_net.qkvz")
                          ? find.linear({"delta_net.qkvz", "delta_net.ba"})
                          : find.linear({"delta_net.qkv", "delta_net.z", "delta_net.b", "delta_net.a"});
  delta_net.conv = make_conv(find, "delta_net.conv");
  delta_net.rule = {.a_log = find.get("delta_net.A_log"),
                    .dt_bias = find.get("delta_net.dt_bias"),
                    .num_key_heads = config.num_key_heads,
                    .num_value_heads = config.num_value_heads,
                    .key_head_dim = config.key_head_dim,
                    .value_head_dim = config.value_head_dim};
  delta_net.norm = {.weight = find.get("delta_net.norm.weight"),
                    .eps = config.norm_eps,
                    .group = config.value_head_dim,
                    .order = kernels::GateOrder::kNormFirst};
  delta_net.out_proj = find.linear({"delta_net.out"});
  return delta_net;
}

nn::Mlp make_mlp(const arch::LayerConfig& layer, const SegmentParameters& find) {
  nn::Mlp mlp;
  mlp.config = layer.mlp;
  mlp.input_norm = ops::Norm::none();
  mlp.up = layer.mlp.gated ? find.fused_or("mlp.gate_up", {"mlp.gate", "mlp.up"}) : find.linear({"mlp.up"});
  mlp.down = find.linear({"mlp.down"});
  return mlp;
}

nn::Moe make_moe(const arch::LayerConfig& layer, const SegmentParameters& find) {
  nn::Moe moe;
  moe.config = layer.moe;
  moe.input_norm = ops::Norm::none();
  moe.router = find.linear({"moe.router"});
  if (layer.moe.router.score_bias) moe.score_bias = find.get("moe.score_bias");
  const std::string up = layer.moe.gate.gated ? "moe.experts.gate_up" : "moe.experts.up";
  moe.experts = {.gate_up = find.get(up + ".weight"),
                 .down = find.get("moe.experts.down.weight"),
                 .gate_up_bias = find.find(up + ".bias"),
                 .down_bias = find.find("moe.experts.down.bias"),
                 .gate = layer.moe.gate,
                 .apply_router_weight_on_input = layer.moe.apply_router_weight_on_input};
  if (layer.moe.latent_size > 0) {
    moe.latent_in = find.linear({"moe.latent_in"});
    moe.latent_out = find.linear({"moe.latent_out"});
  }
  if (layer.moe.shared_intermediate_size == 0) return moe;
  moe.shared_gate_up = layer.moe.gate.gated
                           ? find.fused_or("moe.shared.gate_up", {"moe.shared.gate", "moe.shared.up"})
                           : find.linear({"moe.shared.up"});
  moe.shared_down = find.linear({"moe.shared.down"});
  if (layer.moe.shared_gate) moe.shared_gate = find.linear({"moe.shared_gate"});
  return moe;
}

nn::Mixer make_mixer(arch::MixerKind kind,
                     const arch::LayerConfig& layer,
                     const SegmentParameters& find,
                     const RopeTables& ropes) {
  switch (kind) {
    case arch::MixerKind::kAttention:
      return make_attention(layer, find, ropes);
    case arch::MixerKind::kLatentAttention:
      return make_latent_attention(layer, find, ropes);
    case arch::MixerKind::kMamba2:
      return make_mamba2(layer, find);
    case arch::MixerKind::kDeltaNet:
      return make_delta_net(layer, find);
  }
  fail(ErrorCode::kInternal, "mixer kind ", static_cast<int>(kind));
}

nn::Mixer make_feed_forward(const arch::LayerConfig& layer, const SegmentParameters& find) {
  switch (layer.feed_forward) {
    case arch::FeedForwardKind::kMlp:
      return make_mlp(layer, find);
    case arch::FeedForwardKind::kMoe:
      return make_moe(layer, find);
    case arch::FeedForwardKind::kNone:
      break;
  }
  fail(ErrorCode::kInternal, "feed-forward kind ", static_cast<int>(layer.feed_forward));
}

arch::Multipliers multipliers_of(const nn::Mixer& mixer, const arch::LayerConfig& layer) {
  if (std::holds_alternative<nn::Attention>(mixer)) return layer.attention_multipliers;
  if (std::holds_alternative<nn::Mamba2>(mixer)) return layer.mamba2_multipliers;
  if (std::holds_alternative<nn::Mlp>(mixer)) return layer.mlp_multipliers;
  return {};
}

/// Adds mixers that read the residual stream together to a step, with the norms that `role` names.
void join(nn::SubLayer& step,
          std::vector<nn::Mixer> mixers,
          const arch::LayerConfig& layer,
          const SegmentParameters& find,
          const std::string& role) {
  const arch::BlockConfig& block = layer.block;
  const bool normed_already = (role == "norm.mixer" && !block.mixer_norm) ||
                              (block.parallel && block.shared_norm && !step.branches.empty());
  const bool before =
      block.residual == arch::Residual::kPreNorm || block.residual == arch::Residual::kSandwich;
  const bool after =
      block.residual == arch::Residual::kSandwich || block.residual == arch::Residual::kOutputNorm;
  const ops::Norm input_norm = before && !normed_already ? find.norm(role, block.norm) : ops::Norm::none();
  const bool scaled = std::ranges::any_of(
      mixers, [&](const nn::Mixer& mixer) { return multipliers_of(mixer, layer).in != 1; });
  const bool together = scaled || mixers.size() > 1 || (block.parallel && block.shared_norm);
  if (together && input_norm) step.input_norm = input_norm;
  for (nn::Mixer& mixer : mixers) {
    if (!together) std::visit([&](auto& m) { m.input_norm = input_norm; }, mixer);
    const arch::Multipliers multipliers = multipliers_of(mixer, layer);
    step.branches.push_back({.mixer = std::move(mixer),
                             .output_norm = after ? find.norm(role + "_out", block.norm) : ops::Norm::none(),
                             .in_multiplier = multipliers.in,
                             .out_multiplier = multipliers.out,
                             .dropout = block.dropout,
                             .dropout_site = find.dropout_site(role, step.branches.size())});
  }
  if (block.residual == arch::Residual::kPostLn) step.sum_norm = find.norm(role + "_out", block.norm);
  step.multiplier = block.multiplier;
}

/// The mixers, then the MLP; in a parallel block both at once.
std::vector<nn::SubLayer> make_steps(const arch::LayerConfig& layer,
                                     const SegmentParameters& find,
                                     const RopeTables& ropes) {
  std::vector<nn::Mixer> mixers;
  for (const arch::MixerKind kind : layer.mixers) mixers.push_back(make_mixer(kind, layer, find, ropes));
  std::vector<nn::SubLayer> steps;
  if (!mixers.empty()) join(steps.emplace_back(), std::move(mixers), layer, find, "norm.mixer");
  if (layer.feed_forward == arch::FeedForwardKind::kNone) return steps;
  if (steps.empty() || !layer.block.parallel) steps.emplace_back();
  std::vector<nn::Mixer> feed_forward;
  feed_forward.push_back(make_feed_forward(layer, find));
  join(steps.back(), std::move(feed_forward), layer, find, "norm.mlp");
  return steps;
}

nn::Embedding make_embedding(const arch::DecoderConfig& config, const SegmentParameters& find) {
  const arch::EmbeddingConfig& embedding = config.embedding;
  return {.table = find.get("embed.weight"),
          .positions = find.find("positions.weight"),
          .position_offset = embedding.position_offset,
          .positions_skip_padding = embedding.positions_skip_padding,
          .token_types = find.find("token_types.weight"),
          .norm = find.norm("norm.embed", embedding.norm),
          .padding_id = embedding.pad_token_id.value_or(-1),
          .scale = embedding.scale,
          .dropout = embedding.dropout};
}

nn::Transform make_transform(const arch::TransformConfig& config,
                             const SegmentParameters& find,
                             const std::string& head) {
  if (!config.activation) return {};
  return {.dense = find.linear({head + ".transform"}),
          .activation = *config.activation,
          .norm = find.norm("norm." + head, config.norm)};
}

nn::RowLabels make_row_labels(const arch::DecoderConfig& config, const SegmentParameters& find) {
  return {.pooling = config.classifier.pooling,
          .padding_id = config.classifier.padding_id,
          .transform = make_transform(config.classifier.transform, find, "classifier"),
          .projection = find.linear({"classifier"}),
          .label_kind = config.classifier.label_kind.value_or(arch::LabelKind::kSeveral)};
}

nn::NextToken make_next_token(const arch::DecoderConfig& config,
                              const SegmentParameters& find,
                              const tensor::Weight& table,
                              const LoraSource& lora_of) {
  nn::NextToken objective{.transform = make_transform(config.head.transform, find, "head"),
                          .projection = {},
                          .logit_scale = config.head.logit_scale,
                          .logit_softcap = config.head.logit_softcap,
                          .normalised = config.head.normalised};
  for (const arch::LayerConfig& layer : config.layers) {
    if (layer.feed_forward == arch::FeedForwardKind::kMoe) objective.aux_loss_coef = layer.moe.aux_loss_coef;
  }
  ops::Linear& projection = objective.projection;
  if (!config.head.tied) {
    projection = find.linear({"head"});
    return objective;
  }
  projection.weight = table;
  projection.out_features = {config.vocab_size};
  if (config.head.bias) projection.bias = {find.get("head.bias")};
  if (lora_of) projection.lora = lora_of({config.names.modules.at("head").module}, projection.out_features);
  return objective;
}

nn::Objective make_objective(const arch::DecoderConfig& config,
                             const SegmentParameters& find,
                             const tensor::Weight& table,
                             const LoraSource& lora_of) {
  if (predicts_tokens(config)) return make_next_token(config, find, table, lora_of);
  if (config.task == arch::Task::kClassification) return make_row_labels(config, find);
  return nn::RowVector{.pooling = config.classifier.pooling,
                       .width = config.hidden_size,
                       .dtype = table.unit->options().compute_dtype};
}

}  // namespace

std::vector<std::unique_ptr<nn::Segment>> make_segments(const Decoder& decoder, const LoraSource& lora_of) {
  const arch::DecoderConfig& config = decoder.config;
  std::vector<std::unique_ptr<nn::Segment>> segments;
  RopeTables ropes;
  for (const arch::RopeConfig& rope : config.ropes) {
    ropes.push_back(rope.rotary_dim > 0 ? std::make_shared<nn::RopeTable>(rope, device_of(decoder))
                                        : nullptr);
  }
  const SegmentParameters embed(decoder, decoder.weights.front(), lora_of);
  const nn::Embedding embedding = make_embedding(config, embed);
  segments.push_back(
      std::make_unique<nn::EmbedSegment>(decoder.weights.front().segment, embedding, embed.units()));
  bool router_before = false;
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const weights::SegmentWeights& weights = decoder.weights[i + 1];
    const SegmentParameters find(decoder, weights, lora_of);
    std::vector<nn::SubLayer> steps = make_steps(config.layers[i], find, ropes);
    segments.push_back(std::make_unique<nn::DecoderBlock>(
        weights.segment, std::move(steps), find.units(), config.hidden_size, router_before));
    router_before = router_before || config.layers[i].feed_forward == arch::FeedForwardKind::kMoe;
  }
  const SegmentParameters head(decoder, decoder.weights.back(), lora_of);
  nn::Objective objective = make_objective(config, head, embedding.table, lora_of);
  std::vector<tensor::FlatParameter*> head_units = head.units();
  if (const auto* next_token = std::get_if<nn::NextToken>(&objective)) {
    // A tied table, and its adapters.
    for (tensor::FlatParameter* unit : ops::units_of(next_token->projection)) {
      if (std::ranges::find(head_units, unit) == head_units.end()) head_units.push_back(unit);
    }
  }
  segments.push_back(std::make_unique<nn::HeadSegment>(decoder.weights.back().segment,
                                                       head.norm("norm.final", config.norm),
                                                       std::move(objective),
                                                       std::move(head_units)));
  return segments;
}

}  // namespace automodel::models
