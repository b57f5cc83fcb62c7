#pragma once

#include <string>
#include <vector>

#include "core/nn/head_config.h"
#include "core/nn/segment.h"
#include "core/nn/transform.h"

namespace automodel::nn {

/// The vector of the residual stream that stands for each row. x [B, T, D] -> [B, D]. `tokens` say how long
/// rows are; a packed row has no such vector: throws Error(kUnsupported).
at::Tensor pool(const at::Tensor& x_BTD, Pooling pooling, const Tokens& tokens);

/// The residual stream to logits of labels, or to one vector a row.
struct PooledHead {
  ops::Norm norm;
  Pooling pooling = Pooling::kLast;
  Transform transform;
  ops::Linear projection;  ///< a null weight: the pooled vector is the result
};

/// Writes "logits" [B, labels] where the batch wants them and their mean cross-entropy with labels_BT [B, 1],
/// or "embedding" [B, D].
class PooledHeadSegment : public Segment {
 public:
  /// `width`: D.
  PooledHeadSegment(std::string name, PooledHead head, int64_t width, at::ScalarType dtype);

  const std::string& name() const override { return name_; }

  std::vector<tensor::Unit*> units() const override;

  std::vector<std::string> reads() const override { return {kHidden}; }

  std::vector<StateField> writes(int64_t rows, int64_t length) const override;

  bool recomputable() const override { return false; }

  State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const override;

 private:
  std::string name_;
  PooledHead head_;
  int64_t width_;
  at::ScalarType dtype_;
};

}  // namespace automodel::nn
