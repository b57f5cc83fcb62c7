#include "core/kernels/embedding_grad.h"
#include "core/kernels/vectorised.h"

namespace automodel::kernels {

template <class T>
AUTOMODEL_VECTORISED void embedding_grad(const int64_t* ids,
                                         const T* dy,
                                         Compute<T>* dtable,
                                         int64_t rows,
                                         int64_t d,
                                         int64_t begin,
                                         int64_t end) {
  for (int64_t r = 0; r < rows; ++r) {
    if (ids[r] < begin || ids[r] >= end) continue;
    Compute<T>* to = dtable + ids[r] * d;
    for (int64_t i = 0; i < d; ++i) to[i] += load(dy[r * d + i]);
  }
}

template void embedding_grad<float>(const int64_t*, const float*, float*, int64_t, int64_t, int64_t, int64_t);
template void embedding_grad<double>(
    const int64_t*, const double*, double*, int64_t, int64_t, int64_t, int64_t);
template void embedding_grad<BF16>(const int64_t*, const BF16*, float*, int64_t, int64_t, int64_t, int64_t);

}  // namespace automodel::kernels
