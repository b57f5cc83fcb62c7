#pragma once

// For core/ops/*.cpp only: from a tensor's type to the element type of the CPU kernels.

#include "core/tensor/torch.h"

#include "core/kernels/element.h"

namespace automodel::ops {

/// Calls body(T{}) with T = float, double or kernels::BF16. Throws Error(kUnsupported) naming `what` for
/// other types.
template <class Body>
void with_element_type(const at::Tensor& x, const char* what, Body body) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return body(float{});
    case at::kDouble:
      return body(double{});
    case at::kBFloat16:
      return body(kernels::BF16{});
    default:
      fail(ErrorCode::kUnsupported,
           what,
           " of type ",
           x.scalar_type(),
           "; float32, bfloat16 and, on a CPU, float64 are implemented");
  }
}

/// A tensor's type as a device kernel's argument.
inline kernels::Element element_of(const at::Tensor& x, const char* what) {
  if (x.scalar_type() == at::kFloat) return kernels::Element::kFloat32;
  if (x.scalar_type() == at::kBFloat16) return kernels::Element::kBFloat16;
  fail(ErrorCode::kUnsupported,
       what,
       " of type ",
       x.scalar_type(),
       " on a GPU; float32 and bfloat16 are implemented");
}

/// The type of sums and statistics over elements of x: float32, of float64 itself.
inline at::ScalarType sum_type(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

template <class T>
const T* data(const at::Tensor& x) {
  return static_cast<const T*>(x.const_data_ptr());
}

template <class T>
T* mutable_data(const at::Tensor& x) {
  return static_cast<T*>(x.mutable_data_ptr());
}

}  // namespace automodel::ops
