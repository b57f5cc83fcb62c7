#pragma once

// For core/kernels/*.cu only: what a norm's weight does.

#include "core/kernels/device.cuh"

namespace automodel::kernels {

/// A normalised value times its weight.
template <class T>
__device__ T scaled(float normed, float weight, float offset) {
  return offset == 0 ? to_element<T>(weight * round_element<T>(normed))
                     : to_element<T>((weight + offset) * normed);
}

}  // namespace automodel::kernels
