#pragma once

#include <string>
#include <vector>

#include "core/nn/segment.h"
#include "core/nn/transform.h"

namespace automodel::nn {

/// The objective of language models: logits of every position and their cross-entropy with the labels.
struct NextToken {
  Transform transform{};
  ops::Linear projection;      ///< its weight may be the embedding's table (tied)
  double logit_scale = 1.0;    ///< multiplies logits
  double logit_softcap = 0.0;  ///< logits become cap tanh(logits / cap); 0: off
  double aux_loss_coef = 0.0;  ///< of the routers' load-balancing loss; 0: there is none
  bool normalised = false;     ///< rows of the projection count as if of length one

  /// Fields that it reads beside the residual stream.
  std::vector<std::string> reads() const;
  std::vector<StateField> writes(const BatchShape& shape) const;
  State forward(const at::Tensor& normed_BTD,
                const State& in,
                const MicroBatch& batch,
                const ops::OpContext& context) const;

 private:
  /// Scalar, with the routers' share.
  at::Tensor loss(const at::Tensor& x_BTD,
                  const State& in,
                  const MicroBatch& batch,
                  const ops::OpContext& context,
                  State& out) const;
};

}  // namespace automodel::nn
