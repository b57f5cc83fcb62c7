#pragma once

namespace automodel::kernels {

/// The non-linear function of an MLP.
enum class Activation {
  kSilu,
  kGelu,
  kGeluTanh,  ///< GELU's approximation by tanh
  kRelu,
  kRelu2,  ///< relu(x)^2. So et al. 2021, arXiv:2109.08668
  kTanh,
};

}  // namespace automodel::kernels
