#include "core/models/segment_parameters.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/dropout.h"

namespace automodel::models {
namespace {

/// Module names of the handle's parameters, without ".weight".
std::vector<std::string> module_names(const tensor::Weight& weight) {
  std::vector<std::string> names;
  for (size_t i = weight.first; i < weight.first + weight.count; ++i) {
    const std::string& name = weight.unit->parameters()[i].name;
    names.push_back(name.substr(0, name.rfind('.')));
  }
  return names;
}

}  // namespace

tensor::Weight SegmentParameters::find(const std::string& role) const {
  for (const weights::ParameterSpec& spec : segment_.weights) {
    if (spec.role == role) return decoder_.find(spec.name);
  }
  return {};
}

tensor::Weight SegmentParameters::get(const std::string& role) const {
  const tensor::Weight weight = find(role);
  ensure(static_cast<bool>(weight), segment_.segment, " has no ", role);
  return weight;
}

ops::Linear SegmentParameters::linear(const std::vector<std::string>& modules) const {
  ops::Linear layer;
  layer.weight = get(modules[0] + ".weight");
  layer.weight.count = modules.size();
  bool any_bias = false;
  for (size_t i = 0; i < modules.size(); ++i) {
    const tensor::Weight weight = get(modules[i] + ".weight");
    ensure(weight.unit == layer.weight.unit && weight.first == layer.weight.first + i,
           segment_.segment,
           ": ",
           modules[i],
           " is not next to ",
           modules[0]);
    layer.out_features.push_back(weight.unit->parameters()[weight.first].local_shape[0]);
    layer.bias.push_back(find(modules[i] + ".bias"));
    any_bias |= static_cast<bool>(layer.bias.back());
  }
  if (!any_bias) layer.bias.clear();
  if (lora_of_) layer.lora = lora_of_(module_names(layer.weight), layer.out_features);
  if (layer.lora) adapter_unit_ = ops::units_of(layer).back();
  return layer;
}

ops::Norm SegmentParameters::norm(const std::string& role, const arch::NormConfig& config) const {
  if (config.kind == kernels::NormKind::kNone) return ops::Norm::none();
  return {.weight = config.weight ? get(role + ".weight") : tensor::Weight(),
          .eps = config.eps,
          .kind = config.kind,
          .bias = config.bias ? get(role + ".bias") : tensor::Weight(),
          .weight_offset = config.weight_offset};
}

uint64_t SegmentParameters::dropout_site(const std::string& role, size_t branch) const {
  return ops::dropout_site(detail::join(segment_.segment, " ", role, " ", branch));
}

std::vector<tensor::FlatParameter*> SegmentParameters::units() const {
  std::vector<tensor::FlatParameter*> units, buffers;
  for (const weights::ParameterSpec& spec : segment_.weights) {
    tensor::FlatParameter* const unit = decoder_.find(spec.name).unit;
    auto& list = spec.kind == weights::ParameterSpec::Kind::kBuffer ? buffers : units;
    if (std::ranges::find(list, unit) == list.end()) list.push_back(unit);
  }
  units.insert(units.end(), buffers.begin(), buffers.end());
  if (adapter_unit_) units.push_back(adapter_unit_);
  return units;
}

}  // namespace automodel::models
