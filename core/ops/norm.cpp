#include "core/ops/norm.h"

#include "core/ops/layer_norm.h"
#include "core/ops/rms_norm.h"

namespace automodel::ops {

at::Tensor norm(const at::Tensor& x, const Norm& norm, const OpContext& context) {
  switch (norm.kind) {
    case NormKind::kNone:
      return x;
    case NormKind::kRms:
      return rms_norm(x, norm, context);
    case NormKind::kLayer:
      return layer_norm(x, norm, context);
  }
  fail(ErrorCode::kInternal, "norm kind ", static_cast<int>(norm.kind));
}

}  // namespace automodel::ops
