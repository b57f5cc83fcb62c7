#include "core/nn/transform.h"

#include "core/ops/activation.h"
#include "core/ops/norm.h"

namespace automodel::nn {

at::Tensor Transform::forward(const at::Tensor& x, const ops::OpContext& context) const {
  if (!dense.weight) return x;
  return ops::norm(ops::activate(ops::linear(x, dense, context), activation), norm, context);
}

}  // namespace automodel::nn
