#include "core/ops/cuda/cuda_graph.h"

#include <atomic>
#include <utility>

#include "core/ops/cuda/cuda.h"

namespace automodel::ops {
namespace {

uint64_t next_pool() {
  // LibTorch counts its own from one.
  static std::atomic<uint64_t> next = uint64_t{1} << 32;
  return next++;
}

}  // namespace

CudaGraphPool::CudaGraphPool(at::Device on) : device(on), number(next_pool()) {}

void CudaGraphPool::renew() {
  number = next_pool();
}

CudaGraph::CudaGraph(const CudaGraphPool& pool, const std::function<void()>& work)
    : device_(pool.device.index()), pool_(pool.number) {
  cuda().begin_capture(device_, pool_);
  try {
    work();
  } catch (...) {
    if (void* partial = cuda().end_capture(device_, pool_)) cuda().free_graph(device_, pool_, partial);
    throw;
  }
  graph_ = cuda().end_capture(device_, pool_);
  check(graph_ != nullptr,
        ErrorCode::kDevice,
        "the captured work waits for the device or reads memory that only the host may read");
}

CudaGraph::CudaGraph(CudaGraph&& other) noexcept {
  *this = std::move(other);
}

CudaGraph& CudaGraph::operator=(CudaGraph&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(pool_, other.pool_);
  std::swap(graph_, other.graph_);
  return *this;
}

CudaGraph::~CudaGraph() {
  if (graph_ != nullptr) cuda().free_graph(device_, pool_, graph_);
}

void CudaGraph::launch() const {
  cuda().launch_graph(device_, graph_);
}

}  // namespace automodel::ops
