#include "core/ops/activation.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>

namespace automodel::ops {

at::Tensor activate(const at::Tensor& x, kernels::Activation activation) {
  switch (activation) {
    case kernels::Activation::kSilu:
      return at::silu(x);
    case kernels::Activation::kGelu:
      return at::gelu(x);
    case kernels::Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case kernels::Activation::kRelu:
      return at::relu(x);
    case kernels::Activation::kRelu2:
      return at::relu(x).square();
    case kernels::Activation::kTanh:
      return at::tanh(x);
  }
  fail(ErrorCode::kInternal, "activation ", static_cast<int>(activation));
}

at::Tensor activate_backward(const at::Tensor& dy, const at::Tensor& x, kernels::Activation activation) {
  switch (activation) {
    case kernels::Activation::kSilu:
      return at::silu_backward(dy, x);
    case kernels::Activation::kGelu:
      return at::gelu_backward(dy, x);
    case kernels::Activation::kGeluTanh:
      return at::gelu_backward(dy, x, "tanh");
    case kernels::Activation::kRelu:
      return at::threshold_backward(dy, x, 0);
    case kernels::Activation::kRelu2:
      return at::relu(x).mul_(2).mul_(dy);
    case kernels::Activation::kTanh:
      return at::tanh_backward(dy, at::tanh(x));
  }
  fail(ErrorCode::kInternal, "activation ", static_cast<int>(activation));
}

}  // namespace automodel::ops
