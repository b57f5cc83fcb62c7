#include "core/kernels/device.cuh"
#include "core/kernels/embedding_grad.h"

namespace automodel::kernels {
namespace {

constexpr int kThreads = 128;

/// Block (i, c): when sorted position i is the first of its id, adds up that id's rows over a slice of
/// columns.
template <class T>
__global__ void embedding_grad_kernel(
    const int64_t* sorted_ids, const int64_t* order, const T* dy, float* dtable, int64_t rows, int64_t d) {
  const int64_t first = blockIdx.x;
  const int64_t id = sorted_ids[first];
  if (id < 0 || (first > 0 && sorted_ids[first - 1] == id)) return;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kThreads + threadIdx.x;
  if (column >= d) return;
  float sum = dtable[id * d + column];
  for (int64_t i = first; i < rows && sorted_ids[i] == id; ++i)
    sum += load_element(dy[order[i] * d + column]);
  dtable[id * d + column] = sum;
}

}  // namespace

void embedding_grad_cuda(const EmbeddingGradArgs& args) {
  const auto& [element, sorted_ids, order, dy, dtable, rows, d, stream] = args;
  if (rows == 0) return;
  const dim3 blocks(static_cast<unsigned>(rows), static_cast<unsigned>(ceil_div(d, kThreads)));
  with_device_element(element, [&]<class T>(T) {
    embedding_grad_kernel<T><<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        sorted_ids, order, static_cast<const T*>(dy), dtable, rows, d);
  });
  check_launch("embedding_grad");
}

}  // namespace automodel::kernels
