#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/arch/head_config.h"
#include "core/nn/segment.h"
#include "core/nn/transform.h"

namespace automodel::nn {

/// The vector of the residual stream that stands for each row. x [B, T, D] -> [B, D]. `tokens` say how long
/// rows are; a packed row has no such vector: throws Error(kUnsupported).
at::Tensor pool(const at::Tensor& x_BTD, arch::Pooling pooling, const Tokens& tokens);

/// [B]: how long rows are up to their last token of another id than padding, 1 where there is none.
/// ids [B, T]; lengths [B], or undefined: rows are whole.
at::Tensor lengths_before_padding(const at::Tensor& ids_BT, const at::Tensor& lengths_B, int64_t padding_id);

/// The residual stream to logits of labels, or to one vector a row.
struct PooledHead {
  ops::Norm norm;
  arch::Pooling pooling = arch::Pooling::kLast;
  std::optional<int64_t> padding_id{};  ///< Pooling::kLast: the last token of another id
  Transform transform;
  ops::Linear projection;                                  ///< a null weight: the pooled vector is the result
  arch::LabelKind label_kind = arch::LabelKind::kSeveral;  ///< of labels that are float32
};

/// Writes "logits" [B, labels] where the batch wants them and their loss with labels_BT, or "embedding" [B,
/// D]. The loss is loss_scale times a sum, over rows of the cross-entropy with their class, or over rows and
/// labels of the squared error or the binary cross-entropy of logits, all formed in float32.
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
  /// Of float32 logits.
  at::Tensor loss_sum(const at::Tensor& logits_BC, const at::Tensor& labels, int64_t ignore_index) const;

  std::string name_;
  PooledHead head_;
  int64_t width_;
  at::ScalarType dtype_;
};

}  // namespace automodel::nn
