#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "core/tensor/torch.h"
#include <c10/core/Event.h>

namespace automodel::tensor {

/// A few numbers on their way from the device to the host. The copy is queued at construction; nobody waits
/// for it before read(). On a CPU the values are there at once. One thread.
class HostCopy {
 public:
  /// values [n] of a floating type.
  explicit HostCopy(const at::Tensor& values);

  /// Waits for the copy only.
  std::vector<double> read() const;

  /// Seconds between the moments at which the values of `before` and of this one were ready. Both must have
  /// been read.
  double seconds_after(const HostCopy& before) const;

 private:
  at::Tensor host_;
  std::optional<c10::Event> copied_;
  std::chrono::steady_clock::time_point ready_ = std::chrono::steady_clock::now();  ///< on a CPU
};

/// A host tensor on the device by way of pinned memory, so that the host does not wait; itself on a CPU.
at::Tensor upload(const at::Tensor& values, at::Device device);

}  // namespace automodel::tensor
