#pragma once

namespace automodel::kernels {

/// The non-linear function of an MLP.
enum class Activation { kSilu, kGelu, kGeluTanh, kRelu };

}  // namespace automodel::kernels
