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
  for (const weights::WeightSpec& spec : segment_.weights) {
    if (spec.role != role) continue;
    tensor::Unit& unit = spec.kind == weights::WeightSpec::Kind::kBuffer ? *buffers_ : unit_;
    const auto& parameters = unit.parameters();
    const auto at = std::ranges::find(parameters, spec.name, &tensor::Parameter::name);
    ensure(at != parameters.end(), unit.name(), " has no parameter ", spec.name);
    return {&unit, static_cast<size_t>(at - parameters.begin()), 1};
  }
  return {};
}

tensor::Weight SegmentParameters::get(const std::string& role) const {
  const tensor::Weight weight = find(role);
  ensure(static_cast<bool>(weight), unit_.name(), " has no ", role);
  return weight;
}

ops::Linear SegmentParameters::linear(const std::vector<std::string>& modules) const {
  ops::Linear layer;
  layer.weight = get(modules[0] + ".weight");
  layer.weight.count = modules.size();
  bool any_bias = false;
  for (size_t i = 0; i < modules.size(); ++i) {
    const tensor::Weight weight = get(modules[i] + ".weight");
    ensure(weight.first == layer.weight.first + i,
           unit_.name(),
           ": ",
           modules[i],
           " is not next to ",
           modules[0]);
    layer.out_features.push_back(unit_.parameters()[weight.first].shape[0]);
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
  return ops::dropout_site(detail::join(unit_.name(), " ", role, " ", branch));
}

std::vector<tensor::Unit*> SegmentParameters::units() const {
  std::vector<tensor::Unit*> units = {&unit_};
  const auto is_buffer = [](const weights::WeightSpec& spec) {
    return spec.kind == weights::WeightSpec::Kind::kBuffer;
  };
  if (std::ranges::any_of(segment_.weights, is_buffer)) units.push_back(buffers_);
  if (adapter_unit_) units.push_back(adapter_unit_);
  return units;
}

}  // namespace automodel::models
