#include "core/train/expert_balance.h"

#include <ATen/ops/cat.h>

#include "core/nn/moe.h"

namespace automodel::train {

std::map<std::string, at::Tensor> expert_loads(const std::vector<nn::State>& results) {
  const std::string prefix = nn::expert_load_field("");
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
  const std::map<std::string, at::Tensor> loads = expert_loads(results);
  JoinedLoads joined;
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < decoder.config.layers.size(); ++i) {
    const auto load = loads.find(decoder.weights[i + 1].segment);
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
  return std::ranges::any_of(segment.weights, [&](const weights::WeightSpec& spec) {
    return decoder.find(spec.name).unit->trainable();
  });
}

}  // namespace

void balance_experts(models::Decoder& decoder, const std::vector<nn::State>& results) {
  if (!decoder.buffers) return;
  const std::map<std::string, at::Tensor> loads = expert_loads(results);
  for (size_t i = 0; i < decoder.config.layers.size(); ++i) {
    const arch::MoeConfig& moe = decoder.config.layers[i].moe;
    const weights::SegmentWeights& segment = decoder.weights[i + 1];
    const auto load = loads.find(segment.segment);
    if (load == loads.end() || moe.bias_update_rate == 0 || !trained(decoder, segment)) continue;
    for (const weights::WeightSpec& spec : segment.weights) {
      if (spec.role != "moe.correction") continue;
      const tensor::Weight correction = decoder.find(spec.name);
      correction.unit->write_main_weight(correction.first, [&](at::Tensor value) {
        nn::update_correction(value, load->second, moe.bias_update_rate);
      });
    }
  }
}

}  // namespace automodel::train
