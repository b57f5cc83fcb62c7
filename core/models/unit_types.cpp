#include "core/models/unit_types.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/tensor/dtype.h"

namespace automodel::models {

at::Device device_of(const Decoder& decoder) {
  const at::Device device = decoder.units.at(0)->options().device;
  for (const tensor::FlatParameter* unit : decoder.unit_pointers())
    ensure(unit->options().device == device, unit->name(), " lies on another device than the embedding");
  return device;
}

std::string compute_types(const Decoder& decoder) {
  std::vector<std::string> names;
  for (const auto& unit : decoder.units) {
    const std::string name(torch_name(tensor::from_torch(unit->options().compute_dtype)));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return join(names, ", ");
}

at::ScalarType compute_type_of_layer(const Decoder& decoder, size_t index) {
  const auto weights =
      std::ranges::find(decoder.weights, std::optional(index), &weights::SegmentWeights::layer);
  ensure(weights != decoder.weights.end(), "the model has no layer ", index);
  const std::string& segment = weights->segment;
  const auto unit = std::find_if(
      decoder.units.begin(), decoder.units.end(), [&](const auto& one) { return one->name() == segment; });
  ensure(unit != decoder.units.end(), segment, " has no unit");
  return (*unit)->options().compute_dtype;
}

}  // namespace automodel::models
