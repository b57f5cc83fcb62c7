#include "core/train/expert_balance.h"

#include <ATen/ops/cat.h>

#include "core/nn/moe.h"

namespace automodel::train {

std::map<std::string, at::Tensor> tokens_per_expert(const std::vector<nn::State>& results) {
  const std::string prefix = nn::tokens_per_expert_field("");
  std::map<std::string, at::Tensor> loads;
  for (const nn::State& result : results) {
    for (const auto& [name, value] : result.fields()) {
      if (!name.starts_with(prefix)) continue;
      const auto [at, first] = loads.try_emplace(name.substr(prefix.size()), value);
      if (!first) at->second = at->second + value;
    }
  }
  return loads;
}

JoinedLoads join_loads(const models::Decoder& decoder, const std::vector<nn::State>& results) {
  const std::map<std::string, at::Tensor> loads = tokens_per_expert(results);
  JoinedLoads joined;
  std::vector<at::Tensor> parts;
  for (const weights::SegmentWeights& segment : decoder.weights) {
    const auto load = loads.find(segment.segment);
    if (load == loads.end()) continue;
    parts.push_back(load->second.to(at::kDouble));
    joined.num_experts.push_back(load->second.size(0));
  }
  if (!parts.empty()) joined.values = at::cat(parts);
  return joined;
}

namespace {

/// Whether the parameters of a segment, which lie in units of one kind of trainability, are trained.
bool trained(const models::Decoder& decoder, const weights::SegmentWeights& segment) {
  return std::ranges::any_of(segment.weights, [&](const weights::ParameterSpec& spec) {
    return decoder.find(spec.name).unit->trainable();
  });
}

}  // namespace

void balance_experts(models::Decoder& decoder, const std::vector<nn::State>& results) {
  if (!decoder.buffers) return;
  const std::map<std::string, at::Tensor> loads = tokens_per_expert(results);
  for (const weights::SegmentWeights& segment : decoder.weights) {
    const auto load = loads.find(segment.segment);
    if (load == loads.end()) continue;
    const arch::MoeConfig& moe = decoder.config.layers.at(segment.layer.value()).moe;
    if (moe.bias_update_rate == 0 || !trained(decoder, segment)) continue;
    for (const weights::ParameterSpec& spec : segment.weights) {
      if (spec.role != "moe.score_bias") continue;
      const tensor::Weight score_bias = decoder.find(spec.name);
      score_bias.unit->write_main_weight(score_bias.first, [&](at::Tensor value) {
        nn::update_score_bias(value, load->second, moe.bias_update_rate);
      });
    }
  }
}

}  // namespace automodel::train
