#include "core/tensor/host_copy.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace automodel::tensor {

HostCopy::HostCopy(const at::Tensor& values) {
  const at::Tensor doubles = values.detach().to(at::kDouble);
  if (doubles.is_cpu()) {
    host_ = doubles;
    return;
  }
  host_ = at::empty(doubles.sizes(), at::TensorOptions(at::kDouble).pinned_memory(true));
  host_.copy_(doubles, /*non_blocking=*/true);
  copied_.emplace(doubles.device().type(), c10::EventFlag::BACKEND_DEFAULT);
  copied_->record(c10::impl::VirtualGuardImpl(doubles.device().type()).getStream(doubles.device()));
}

std::vector<double> HostCopy::read() const {
  if (copied_) copied_->synchronize();
  const auto* values = host_.const_data_ptr<double>();
  return {values, values + host_.numel()};
}

double HostCopy::seconds_after(const HostCopy& before) const {
  if (copied_ && before.copied_) return before.copied_->elapsedTime(*copied_) / 1e3;
  return std::chrono::duration<double>(ready_ - before.ready_).count();
}

at::Tensor upload(const at::Tensor& values, at::Device device) {
  if (device.is_cpu()) return values;
  return values.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace automodel::tensor
