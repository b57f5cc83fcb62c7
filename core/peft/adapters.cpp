#include "core/peft/adapters.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/ops/dropout.h"
#include "core/ops/lora.h"

namespace automodel::peft {
namespace {

/// Where the units hold each parameter.
std::map<std::string, tensor::Weight> places_in(
    const std::vector<std::unique_ptr<tensor::FlatParameter>>& units) {
  std::map<std::string, tensor::Weight> places;
  for (const auto& unit : units) {
    for (size_t i = 0; i < unit->parameters().size(); ++i)
      places[unit->parameters()[i].name] = {unit.get(), i, 1};
  }
  return places;
}

}  // namespace

std::vector<std::unique_ptr<tensor::FlatParameter>> make_units(
    const AdapterSpec& spec, const tensor::FlatParameter::Options& options) {
  std::vector<std::unique_ptr<tensor::FlatParameter>> units;
  for (size_t first = 0, last = 0; first < spec.linears.size(); first = last) {
    const std::string& segment = spec.linears[first].segment;
    while (last < spec.linears.size() && spec.linears[last].segment == segment) ++last;
    std::vector<tensor::Parameter> parameters;
    for (size_t i = first; i < last; ++i)
      parameters.push_back({lora_a_name(spec.linears[i].module), {spec.rank, spec.linears[i].in}});
    for (size_t i = first; i < last; ++i)
      parameters.push_back({lora_b_name(spec.linears[i].module), {spec.linears[i].out, spec.rank}});
    units.push_back(
        std::make_unique<tensor::FlatParameter>(segment + ".adapters", std::move(parameters), options));
  }
  return units;
}

models::LoraSource lora_source(const AdapterSpec& spec,
                               const std::vector<std::unique_ptr<tensor::FlatParameter>>& units) {
  return [spec, places = places_in(units)](
             const std::vector<std::string>& modules,
             const std::vector<int64_t>& out_features) -> std::shared_ptr<const ops::Lora> {
    ops::Lora lora;
    lora.scale = spec.scale;
    lora.dropout = spec.dropout;
    lora.dropout_first = spec.dropout_first;
    int64_t column = 0;
    for (size_t i = 0; i < modules.size(); ++i) {
      const auto a = places.find(lora_a_name(modules[i]));
      if (a != places.end()) {
        if (lora.parts.empty()) lora.a.weight = a->second;
        lora.a.weight.count = lora.parts.size() + 1;
        ensure(
            a->second.first == lora.a.weight.first + lora.parts.size(), modules[i], ": its A is elsewhere");
        lora.a.out_features.push_back(spec.rank);
        lora.parts.push_back({places.at(lora_b_name(modules[i])), column, ops::dropout_site(modules[i])});
      }
      column += out_features[i];
    }
    if (lora.parts.empty()) return nullptr;
    return std::make_shared<const ops::Lora>(std::move(lora));
  };
}

}  // namespace automodel::peft
