#include "core/models/make_segments.h"

#include <algorithm>

#include "core/models/block_maker.h"
#include "core/models/segment_parameters.h"
#include "core/models/unit_types.h"
#include "core/nn/decoder_segments.h"
#include "core/nn/moe.h"

namespace automodel::models {
namespace {

using BlockKind = std::variant<arch::MixerKind, arch::FeedForwardKind>;

arch::Multipliers multipliers_of(BlockKind kind, const arch::LayerConfig& layer) {
  const auto of = maker_of(kind).multipliers;
  return of ? of(layer) : arch::Multipliers();
}

/// Adds blocks that read the residual stream together to a sub-layer, with the norms that `role` names.
void join(nn::SubLayer& sub_layer,
          const std::vector<BlockKind>& kinds,
          const arch::LayerConfig& layer,
          const SegmentParameters& find,
          const RopeTables& ropes,
          const std::string& role) {
  const arch::BlockConfig& block = layer.block;
  const bool normed_already = (role == "norm.mixer" && !block.mixer_norm) ||
                              (block.parallel && block.shared_norm && !sub_layer.branches.empty());
  const bool before =
      block.residual == arch::Residual::kPreNorm || block.residual == arch::Residual::kSandwich;
  const bool after =
      block.residual == arch::Residual::kSandwich || block.residual == arch::Residual::kOutputNorm;
  const ops::Norm input_norm = before && !normed_already ? find.norm(role, block.norm) : ops::Norm::none();
  const bool scaled =
      std::ranges::any_of(kinds, [&](BlockKind kind) { return multipliers_of(kind, layer).in != 1; });
  const bool together = scaled || kinds.size() > 1 || (block.parallel && block.shared_norm);
  if (together && input_norm) sub_layer.input_norm = input_norm;
  for (const BlockKind kind : kinds) {
    nn::Mixer mixer = maker_of(kind).make(layer, find, ropes);
    if (!together) std::visit([&](auto& m) { m.input_norm = input_norm; }, mixer);
    const arch::Multipliers multipliers = multipliers_of(kind, layer);
    sub_layer.branches.push_back(
        {.mixer = std::move(mixer),
         .output_norm = after ? find.norm(role + "_out", block.norm) : ops::Norm::none(),
         .in_multiplier = multipliers.in,
         .out_multiplier = multipliers.out,
         .dropout = block.dropout,
         .dropout_site = find.dropout_site(role, sub_layer.branches.size())});
  }
  if (block.residual == arch::Residual::kPostLn) sub_layer.sum_norm = find.norm(role + "_out", block.norm);
  sub_layer.multiplier = block.multiplier;
}

/// The token mixers, then the feed-forward block; in a parallel block both at once.
std::vector<nn::SubLayer> make_sub_layers(const arch::LayerConfig& layer,
                                          const SegmentParameters& find,
                                          const RopeTables& ropes) {
  const std::vector<BlockKind> mixers(layer.mixers.begin(), layer.mixers.end());
  std::vector<nn::SubLayer> sub_layers;
  if (!mixers.empty()) join(sub_layers.emplace_back(), mixers, layer, find, ropes, "norm.mixer");
  if (layer.feed_forward == arch::FeedForwardKind::kNone) return sub_layers;
  if (sub_layers.empty() || !layer.block.parallel) sub_layers.emplace_back();
  join(sub_layers.back(), {layer.feed_forward}, layer, find, ropes, "norm.mlp");
  return sub_layers;
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
  for (const weights::SegmentWeights& weights : decoder.weights) {
    if (!weights.layer) continue;
    const arch::LayerConfig& layer = config.layers[*weights.layer];
    const SegmentParameters find(decoder, weights, lora_of);
    std::vector<nn::SubLayer> sub_layers = make_sub_layers(layer, find, ropes);
    segments.push_back(std::make_unique<nn::DecoderBlock>(
        weights.segment, std::move(sub_layers), find.units(), config.hidden_size, router_before));
    router_before = router_before || layer.feed_forward == arch::FeedForwardKind::kMoe;
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
