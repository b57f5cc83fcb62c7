#pragma once

#include <cstdint>

#include "core/kernels/element.h"

namespace automodel::kernels {

/// Adds the gradient of an embedding lookup: dtable[ids[r]] += dy[r] for the rows r whose id is in [begin,
/// end). Splitting by id keeps the order of additions, so the result does not depend on the number of
/// threads.
///
/// ids [rows];  dy [rows, d];  dtable [vocabulary, d] f32. T is float, BF16 or double (dtable
/// double then). Runs on the calling thread.
template <class T>
void embedding_grad(
    const int64_t* ids, const T* dy, Compute<T>* dtable, int64_t rows, int64_t d, int64_t begin, int64_t end);

/// embedding_grad on the device, for ids sorted in ascending order: dy row order[i] belongs to sorted_ids[i],
/// negative ids to none. One block adds up a table row, in the order given: no atomic additions, so
/// deterministic when the sort is stable. Asynchronous on `stream` (a cudaStream_t), no workspace.
struct EmbeddingGradArgs {
  Element element = Element::kFloat32;
  const int64_t* sorted_ids = nullptr;
  const int64_t* order = nullptr;
  const void* dy = nullptr;
  float* dtable = nullptr;
  int64_t rows = 0;
  int64_t d = 0;
  void* stream = nullptr;
};

void embedding_grad_cuda(const EmbeddingGradArgs& args);

}  // namespace automodel::kernels
