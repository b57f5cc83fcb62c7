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

/// The objective of classifiers: logits of labels of each row's pooled vector. Their loss is loss_scale times
/// a sum, over rows of the cross-entropy with their class, or over rows and labels of the squared error or
/// the binary cross-entropy of logits, all formed in float32.
struct RowLabels {
  arch::Pooling pooling = arch::Pooling::kLast;
  std::optional<int64_t> padding_id{};  ///< Pooling::kLast: the last token of another id
  Transform transform{};
  ops::Linear projection;
  arch::LabelKind label_kind = arch::LabelKind::kSeveral;  ///< of labels that are float32

  std::vector<StateField> writes(const BatchShape& shape) const;
  State forward(const at::Tensor& normed_BTD, const MicroBatch& batch, const ops::OpContext& context) const;

 private:
  /// Sum of the losses of float32 logits.
  at::Tensor loss_sum(const at::Tensor& logits_BC, const at::Tensor& labels, int64_t ignore_index) const;
};

/// No objective: each row's pooled vector [B, D] is the result, "embedding".
struct RowVector {
  arch::Pooling pooling = arch::Pooling::kLast;
  int64_t width = 0;  ///< D
  at::ScalarType dtype = at::kFloat;

  std::vector<StateField> writes(const BatchShape& shape) const;
  State forward(const at::Tensor& normed_BTD, const MicroBatch& batch) const;
};

}  // namespace automodel::nn
