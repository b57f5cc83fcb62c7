#include "core/ops/activation.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>

#include "core/kernels/relu2.h"
#include "core/ops/dispatch.h"

namespace automodel::ops {
namespace {

constexpr int64_t kElementsPerThread = 16384;

/// Whether relu2 has a pass of its own.
bool in_one_pass(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.is_contiguous();
}

at::Tensor relu2(const at::Tensor& x) {
  if (!in_one_pass(x)) return at::relu(x).square();
  at::Tensor y = at::empty(x.sizes(), x.options());
  at::parallel_for(0, x.numel(), kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels::relu2(data<float>(x), mutable_data<float>(y), begin, end);
  });
  return y;
}

at::Tensor relu2_backward(const at::Tensor& dy_any, const at::Tensor& x) {
  if (!in_one_pass(x)) return at::relu(x).mul_(2).mul_(dy_any);
  const at::Tensor dy = dy_any.contiguous();
  at::Tensor dx = at::empty(x.sizes(), x.options());
  at::parallel_for(0, x.numel(), kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels::relu2_backward(data<float>(dy), data<float>(x), mutable_data<float>(dx), begin, end);
  });
  return dx;
}

}  // namespace

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
      return relu2(x);
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
      return relu2_backward(dy, x);
    case kernels::Activation::kTanh:
      return at::tanh_backward(dy, at::tanh(x));
  }
  fail(ErrorCode::kInternal, "activation ", static_cast<int>(activation));
}

}  // namespace automodel::ops
