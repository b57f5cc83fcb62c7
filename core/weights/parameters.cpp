#include "core/weights/parameters.h"

#include "core/weights/model_block.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

void add_norms(ParameterList& list, const arch::LayerConfig& layer, int64_t hidden_size) {
  const arch::BlockConfig& block = layer.block;
  const auto add = [&](const char* role) { list.norm(role, hidden_size, block.norm); };
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
  for (const arch::MixerKind mixer : layer.mixers) block_of(mixer).add_parameters(list, layer, config);
  if (layer.feed_forward != arch::FeedForwardKind::kNone)
    block_of(layer.feed_forward).add_parameters(list, layer, config);
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
  list.norm("norm.embed", config.hidden_size, config.embedding.norm);
  return list.take();
}

void add_transform(ParameterList& list,
                   const std::string& head,
                   const arch::TransformConfig& transform,
                   int64_t hidden_size) {
  if (!transform.activation) return;
  list.linear(head + ".transform", hidden_size, hidden_size, transform.bias);
  list.norm("norm." + head, hidden_size, transform.norm);
}

std::vector<ParameterSpec> head_weights(const arch::DecoderConfig& config) {
  ParameterList list(config.names, -1);
  list.norm("norm.final", config.hidden_size, config.norm);
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
    segments.push_back({"layers." + std::to_string(i), layer_weights(config, i), i});
  }
  segments.push_back({"head", head_weights(config)});
  return segments;
}

}  // namespace automodel::weights
