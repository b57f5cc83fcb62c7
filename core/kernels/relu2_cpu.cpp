#include "core/kernels/relu2.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {

AUTOMODEL_VECTORISED void relu2(const float* x, float* y, int64_t begin, int64_t end) {
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) {
    const float positive = x[i] < 0 ? 0.0f : x[i];
    y[i] = positive * positive;
  }
}

AUTOMODEL_VECTORISED void relu2_backward(
    const float* dy, const float* x, float* dx, int64_t begin, int64_t end) {
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) dx[i] = (x[i] < 0 ? 0.0f : 2.0f * x[i]) * dy[i];
}

}  // namespace automodel::kernels
