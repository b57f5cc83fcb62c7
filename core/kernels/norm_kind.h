#pragma once

namespace automodel::kernels {

/// What a normalisation of a vector x is.
enum class NormKind {
  kNone,   ///< x itself
  kRms,    ///< x / rms(x). Zhang & Sennrich 2019, arXiv:1910.07467
  kLayer,  ///< (x - mean(x)) / sqrt(variance(x) + eps). Ba et al. 2016, arXiv:1607.06450
};

}  // namespace automodel::kernels
