#pragma once

#include "core/tensor/torch.h"

#include "core/kernels/activation.h"
#include "core/ops/linear.h"

namespace automodel::nn {

/// norm(act(W x + b)), what encoders have before the projection of their head. Devlin et al. 2018,
/// arXiv:1810.04805.
struct Transform {
  ops::Linear dense;  ///< a null weight: there is no transform
  kernels::Activation activation = kernels::Activation::kGelu;
  ops::Norm norm = ops::Norm::none();

  /// [..., D] -> [..., D]; x itself without a transform.
  at::Tensor forward(const at::Tensor& x, const ops::OpContext& context) const;
};

}  // namespace automodel::nn
