#include "core/kernels/vectorised.h"
#include "core/kernels/widen_add.h"

namespace automodel::kernels {

AUTOMODEL_VECTORISED
void widen_add(const BF16* from, float* to, int64_t n, bool add) {
  if (add) {
    for (int64_t i = 0; i < n; ++i) to[i] += load(from[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = load(from[i]);
  }
}

}  // namespace automodel::kernels
