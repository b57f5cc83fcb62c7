// B batch, T tokens, D hidden, C labels
#include "core/nn/pooled_head.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/mse_loss.h>

#include "core/tensor/host_copy.h"

namespace automodel::nn {

at::Tensor pool(const at::Tensor& x_BTD, arch::Pooling pooling, const Tokens& tokens) {
  check(!tokens.positions_BT.defined(),
        ErrorCode::kUnsupported,
        "one vector a row: several documents were packed into one");
  const at::Tensor& lengths_B = tokens.lengths_B;
  switch (pooling) {
    case arch::Pooling::kFirst:
      return x_BTD.select(1, 0);
    case arch::Pooling::kLast: {
      if (!lengths_B.defined()) return x_BTD.select(1, x_BTD.size(1) - 1);
      const at::Tensor last_B11 = (lengths_B - 1).view({-1, 1, 1});
      return at::gather(x_BTD, 1, last_B11.expand({-1, 1, x_BTD.size(2)})).squeeze(1);
    }
    case arch::Pooling::kMean: {
      if (!lengths_B.defined()) return x_BTD.mean(1);
      const at::Tensor inside_BT =
          at::arange(x_BTD.size(1), lengths_B.options()).unsqueeze(0).lt(lengths_B.unsqueeze(1));
      return (x_BTD * inside_BT.unsqueeze(2)).sum(1) / lengths_B.unsqueeze(1);
    }
  }
  fail(ErrorCode::kInternal, "pooling ", static_cast<int>(pooling));
}

at::Tensor lengths_before_padding(const at::Tensor& ids_BT, const at::Tensor& lengths_B, int64_t padding_id) {
  const at::Tensor ends_T = at::arange(1, ids_BT.size(1) + 1, ids_BT.options());
  at::Tensor counts_BT = ids_BT.ne(padding_id);
  if (lengths_B.defined()) counts_BT = counts_BT.logical_and(ends_T.le(lengths_B.unsqueeze(1)));
  return std::get<0>((counts_BT * ends_T).max(1)).clamp_min(1);
}

std::vector<StateField> RowLabels::writes(const BatchShape& shape) const {
  std::vector<StateField> fields;
  if (shape.labelled) fields.push_back({kLoss, {}, at::kFloat});
  if (shape.want_logits)
    fields.push_back({kLogits,
                      {shape.rows, projection.out_features.at(0)},
                      projection.weight.unit->options().compute_dtype});
  return fields;
}

at::Tensor RowLabels::loss_sum(const at::Tensor& logits_BC,
                               const at::Tensor& labels,
                               int64_t ignore_index) const {
  if (!labels.is_floating_point()) {
    return at::cross_entropy_loss(
        logits_BC, labels.reshape({-1}), /*weight=*/{}, at::Reduction::Sum, ignore_index);
  }
  return label_kind == arch::LabelKind::kNumbers
             ? at::mse_loss(logits_BC, labels, at::Reduction::Sum)
             : at::binary_cross_entropy_with_logits(
                   logits_BC, labels, /*weight=*/{}, /*pos_weight=*/{}, at::Reduction::Sum);
}

State RowLabels::forward(const at::Tensor& normed_BTD,
                         const MicroBatch& batch,
                         const ops::OpContext& context) const {
  Tokens tokens = batch.tokens;
  if (pooling == arch::Pooling::kLast && padding_id)
    tokens.lengths_B = lengths_before_padding(batch.input_ids_BT, tokens.lengths_B, *padding_id);
  const at::Tensor pooled_BD = pool(normed_BTD, pooling, tokens);
  const at::Tensor logits_BC = ops::linear(transform.forward(pooled_BD, context), projection, context);
  State out;
  if (batch.labels_BT.defined()) {
    const at::Tensor labels = tensor::upload(batch.labels_BT, logits_BC.device());
    out.set(kLoss, loss_sum(logits_BC.to(at::kFloat), labels, batch.ignore_index) * batch.loss_scale);
  }
  if (batch.want_logits) out.set(kLogits, logits_BC.detach());
  return out;
}

std::vector<StateField> RowVector::writes(const BatchShape& shape) const {
  return {{kEmbedding, {shape.rows, width}, dtype}};
}

State RowVector::forward(const at::Tensor& normed_BTD, const MicroBatch& batch) const {
  State out;
  out.set(kEmbedding, pool(normed_BTD, pooling, batch.tokens));
  return out;
}

}  // namespace automodel::nn
