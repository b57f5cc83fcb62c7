#pragma once

#include <vector>

#include <gtest/gtest.h>

#include <cuda_runtime.h>

#include "core/base/error.h"

namespace automodel::kernels::testing {

inline bool has_cuda_device() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

inline void check_cuda(cudaError_t status) {
  check(status == cudaSuccess, ErrorCode::kDevice, "CUDA: ", cudaGetErrorString(status));
}

/// Numbers in device memory, floats unless the vector says otherwise.
template <class T = float>
class DeviceBuffer {
 public:
  explicit DeviceBuffer(const std::vector<T>& values) : size_(values.size()) {
    check_cuda(cudaMalloc(&data_, size_ * sizeof(T)));
    check_cuda(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice));
  }

  ~DeviceBuffer() { cudaFree(data_); }

  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  T* data() { return static_cast<T*>(data_); }

  std::vector<T> read() const {
    std::vector<T> values(size_);
    check_cuda(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  size_t size_;
  void* data_ = nullptr;
};

}  // namespace automodel::kernels::testing
