#include "core/ops/glu.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "core/kernels/silu_and_mul.h"
#include "core/ops/activation.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"

namespace automodel::ops {
namespace {

/// `product` is written too where it is defined.
at::Tensor backward_on_device(const at::Tensor& dproduct,
                              const at::Tensor& gate_up,
                              kernels::Activation activation,
                              const at::Tensor& product) {
  at::Tensor dgate_up = at::empty(gate_up.sizes(), gate_up.options());
  cuda().glu_backward({.element = element_of(gate_up, "a gated MLP"),
                       .activation = activation,
                       .dproduct = dproduct.const_data_ptr(),
                       .gate_up = gate_up.const_data_ptr(),
                       .dgate_up = dgate_up.mutable_data_ptr(),
                       .product = product.defined() ? product.mutable_data_ptr() : nullptr,
                       .rows = gate_up.size(0),
                       .width = gate_up.size(1) / 2,
                       .stream = cuda().current_stream()});
  return dgate_up;
}

constexpr int64_t kElementsPerThread = 1 << 14;

int64_t rows_per_thread(int64_t width) {
  return std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(width, 1));
}

at::Tensor silu_on_host(const at::Tensor& gate_up) {
  const int64_t width = gate_up.size(1) / 2;
  at::Tensor product = at::empty({gate_up.size(0), width}, gate_up.options());
  with_element_type(gate_up, "a gated MLP", [&]<class T>(T) {
    at::parallel_for(0, gate_up.size(0), rows_per_thread(width), [&](int64_t begin, int64_t end) {
      kernels::silu_and_mul(
          data<T>(gate_up) + begin * 2 * width, mutable_data<T>(product) + begin * width, end - begin, width);
    });
  });
  return product;
}

ProductAndGradient silu_again_on_host(const at::Tensor& dproduct, const at::Tensor& gate_up) {
  const int64_t width = gate_up.size(1) / 2;
  const ProductAndGradient both{at::empty(dproduct.sizes(), dproduct.options()),
                                at::empty(gate_up.sizes(), gate_up.options())};
  with_element_type(gate_up, "a gated MLP", [&]<class T>(T) {
    at::parallel_for(0, gate_up.size(0), rows_per_thread(width), [&](int64_t begin, int64_t end) {
      const kernels::SiluAndMulGradient<T> to{mutable_data<T>(both.product) + begin * width,
                                              mutable_data<T>(both.dgate_up) + begin * 2 * width,
                                              nullptr};
      kernels::silu_and_mul_backward<T>(data<T>(dproduct) + begin * width,
                                        data<T>(gate_up) + begin * 2 * width,
                                        nullptr,
                                        to,
                                        end - begin,
                                        width);
    });
  });
  return both;
}

}  // namespace

at::Tensor glu(const at::Tensor& gate_up, kernels::Activation activation) {
  const int64_t width = gate_up.size(1) / 2;
  if (gate_up.is_cuda()) {
    at::Tensor product = at::empty({gate_up.size(0), width}, gate_up.options());
    cuda().glu({.element = element_of(gate_up, "a gated MLP"),
                .activation = activation,
                .gate_up = gate_up.const_data_ptr(),
                .product = product.mutable_data_ptr(),
                .rows = gate_up.size(0),
                .width = width,
                .stream = cuda().current_stream()});
    return product;
  }
  if (activation == kernels::Activation::kSilu) return silu_on_host(gate_up.contiguous());
  return activate(gate_up.narrow(1, 0, width), activation).mul_(gate_up.narrow(1, width, width));
}

at::Tensor glu_backward(const at::Tensor& dproduct,
                        const at::Tensor& gate_up,
                        kernels::Activation activation) {
  if (gate_up.is_cuda()) return backward_on_device(dproduct, gate_up, activation, {});
  if (activation == kernels::Activation::kSilu)
    return silu_again_on_host(dproduct.contiguous(), gate_up.contiguous()).dgate_up;
  const int64_t width = gate_up.size(1) / 2;
  at::Tensor dgate_up = at::empty(gate_up.sizes(), gate_up.options());
  const at::Tensor gate = gate_up.narrow(1, 0, width);
  dgate_up.narrow(1, 0, width)
      .copy_(activate_backward(dproduct * gate_up.narrow(1, width, width), gate, activation));
  dgate_up.narrow(1, width, width).copy_(activate(gate, activation).mul_(dproduct));
  return dgate_up;
}

ProductAndGradient gated_product_again(const at::Tensor& dproduct,
                                       const at::Tensor& gate_up,
                                       kernels::Activation activation) {
  if (gate_up.is_cpu() && activation == kernels::Activation::kSilu)
    return silu_again_on_host(dproduct.contiguous(), gate_up.contiguous());
  if (!gate_up.is_cuda()) return {glu(gate_up, activation), glu_backward(dproduct, gate_up, activation)};
  const at::Tensor product = at::empty(dproduct.sizes(), dproduct.options());
  return {product, backward_on_device(dproduct, gate_up, activation, product)};
}

}  // namespace automodel::ops
