#pragma once

#include <cstdint>
#include <functional>

#include "core/tensor/torch.h"

namespace automodel::ops {

/// Memory of captured work on one device: what a capture allocates comes from here and stays. Graphs of one
/// pool share it, so that only one of them may be at work at a time, and what a launch leaves in a tensor
/// lasts until the next launch unless the tensor is still held.
struct CudaGraphPool {
  explicit CudaGraphPool(at::Device on);

  /// After a capture that failed: the next ones take other memory, and what it allocated can be freed.
  void renew();

  at::Device device;
  uint64_t number;  ///< of this process's pools
};

/// Work on the calling thread's stream, captured once and launched any number of times: the same kernels with
/// the same arguments on the same memory. Movable; the pool outlives it.
class CudaGraph {
 public:
  CudaGraph() = default;

  /// Captures what `work` queues, instead of running it; the stream must not be the device's default one.
  /// `work` may run autograd's backward. Throws what `work` throws, or Error(kDevice) when something was
  /// queued that waits for the device or reads pageable memory: the stream can be used as before then.
  CudaGraph(const CudaGraphPool& pool, const std::function<void()>& work);
  CudaGraph(CudaGraph&& other) noexcept;
  CudaGraph& operator=(CudaGraph&& other) noexcept;
  ~CudaGraph();

  /// Whether something was captured.
  explicit operator bool() const { return graph_ != nullptr; }

  /// Queues the captured work.
  void launch() const;

 private:
  int device_ = 0;
  uint64_t pool_ = 0;
  void* graph_ = nullptr;
};

}  // namespace automodel::ops
