#include "core/optim/param_groups.h"

#include "core/base/error.h"

namespace automodel::optim {

at::Tensor Range::view(const at::Tensor& flat, size_t index) const {
  ensure(index >= first_parameter && index < first_parameter + num_parameters,
         unit->name(),
         ": parameter ",
         index,
         " is asked for in a range of ",
         num_parameters,
         " from ",
         first_parameter);
  const tensor::Parameter& parameter = unit->parameters()[index];
  return flat.narrow(0, parameter.offset - begin, parameter.numel).view(parameter.shape);
}

std::vector<Range> ranges_of(const std::vector<tensor::FlatParameter*>& units, const GroupOf& group_of) {
  std::vector<Range> ranges;
  for (tensor::FlatParameter* unit : units) {
    const std::vector<tensor::Parameter>& parameters = unit->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      const size_t group = group_of(parameters[i]);
      const int64_t end = i + 1 < parameters.size() ? parameters[i + 1].offset : unit->main_weights().numel();
      if (i == 0 || ranges.back().group != group)
        ranges.push_back({unit, group, i, 0, parameters[i].offset, 0});
      ++ranges.back().num_parameters;
      ranges.back().numel = end - ranges.back().begin;
    }
  }
  return ranges;
}

}  // namespace automodel::optim
