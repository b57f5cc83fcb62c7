#include "core/ops/gated_product.h"

#include <ATen/ops/empty.h>

#include "core/ops/activation.h"
#include "core/ops/cuda.h"
#include "core/ops/dispatch.h"

namespace automodel::ops {
namespace {

/// `product` is written too where it is defined.
at::Tensor backward_on_device(const at::Tensor& dproduct,
                              const at::Tensor& gate_up,
                              kernels::Activation activation,
                              const at::Tensor& product) {
  at::Tensor dgate_up = at::empty(gate_up.sizes(), gate_up.options());
  cuda().gated_product_backward(element_of(gate_up, "a gated MLP"),
                                activation,
                                dproduct.const_data_ptr(),
                                gate_up.const_data_ptr(),
                                dgate_up.mutable_data_ptr(),
                                product.defined() ? product.mutable_data_ptr() : nullptr,
                                gate_up.size(0),
                                gate_up.size(1) / 2,
                                cuda().current_stream());
  return dgate_up;
}

}  // namespace

at::Tensor gated_product(const at::Tensor& gate_up, kernels::Activation activation) {
  const int64_t width = gate_up.size(1) / 2;
  if (gate_up.is_cuda()) {
    at::Tensor product = at::empty({gate_up.size(0), width}, gate_up.options());
    cuda().gated_product(element_of(gate_up, "a gated MLP"),
                         activation,
                         gate_up.const_data_ptr(),
                         product.mutable_data_ptr(),
                         gate_up.size(0),
                         width,
                         cuda().current_stream());
    return product;
  }
  return activate(gate_up.narrow(1, 0, width), activation).mul_(gate_up.narrow(1, width, width));
}

at::Tensor gated_product_backward(const at::Tensor& dproduct,
                                  const at::Tensor& gate_up,
                                  kernels::Activation activation) {
  if (gate_up.is_cuda()) return backward_on_device(dproduct, gate_up, activation, {});
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
  if (!gate_up.is_cuda())
    return {gated_product(gate_up, activation), gated_product_backward(dproduct, gate_up, activation)};
  const at::Tensor product = at::empty(dproduct.sizes(), dproduct.options());
  return {product, backward_on_device(dproduct, gate_up, activation, product)};
}

}  // namespace automodel::ops
