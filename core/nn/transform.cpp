#include "core/nn/transform.h"

#include <algorithm>

#include "core/ops/activation.h"
#include "core/ops/norm.h"

namespace automodel::nn {

at::Tensor Transform::forward(const at::Tensor& x, const ops::OpContext& context) const {
  if (!dense.weight) return x;
  return ops::norm(ops::activate(ops::linear(x, dense, context), activation), norm, context);
}

std::vector<tensor::Unit*> head_units(const ops::Norm& norm,
                                      const Transform& transform,
                                      const ops::Linear& projection) {
  std::vector<tensor::Unit*> all = {norm.weight.unit, transform.dense.weight.unit};
  for (const tensor::Weight& bias : projection.bias) all.push_back(bias.unit);
  if (projection.weight) {
    for (tensor::Unit* unit : ops::units_of(projection)) all.push_back(unit);
  }
  std::vector<tensor::Unit*> units;
  for (tensor::Unit* unit : all) {
    if (unit && std::ranges::count(units, unit) == 0) units.push_back(unit);
  }
  return units;
}

}  // namespace automodel::nn
