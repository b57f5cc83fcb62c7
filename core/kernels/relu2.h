#pragma once

#include <cstdint>

/// y = relu(x)^2 (So et al. 2021, arXiv:2109.08668) of elements [begin, end), and its gradient, in one pass
/// on the CPU in float32. On the device and in other types ATen's functions do the same.
namespace automodel::kernels {

void relu2(const float* x, float* y, int64_t begin, int64_t end);
void relu2_backward(const float* dy, const float* x, float* dx, int64_t begin, int64_t end);

}  // namespace automodel::kernels
