// B batch, T tokens, D hidden, C labels
#include "core/nn/pooled_head.h"

#include <utility>

#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/gather.h>

#include "core/ops/norm.h"
#include "core/tensor/readback.h"

namespace automodel::nn {

at::Tensor pool(const at::Tensor& x_BTD, Pooling pooling, const Tokens& tokens) {
  check(!tokens.positions_BT.defined(),
        ErrorCode::kUnsupported,
        "one vector a row: several documents were packed into one");
  const at::Tensor& lengths_B = tokens.lengths_B;
  switch (pooling) {
    case Pooling::kFirst:
      return x_BTD.select(1, 0);
    case Pooling::kLast: {
      if (!lengths_B.defined()) return x_BTD.select(1, x_BTD.size(1) - 1);
      const at::Tensor last_B11 = (lengths_B - 1).view({-1, 1, 1});
      return at::gather(x_BTD, 1, last_B11.expand({-1, 1, x_BTD.size(2)})).squeeze(1);
    }
    case Pooling::kMean: {
      if (!lengths_B.defined()) return x_BTD.mean(1);
      const at::Tensor inside_BT =
          at::arange(x_BTD.size(1), lengths_B.options()).unsqueeze(0).lt(lengths_B.unsqueeze(1));
      return (x_BTD * inside_BT.unsqueeze(2)).sum(1) / lengths_B.unsqueeze(1);
    }
  }
  fail(ErrorCode::kInternal, "pooling ", static_cast<int>(pooling));
}

PooledHeadSegment::PooledHeadSegment(std::string name, PooledHead head, int64_t width, at::ScalarType dtype)
    : name_(std::move(name)), head_(std::move(head)), width_(width), dtype_(dtype) {}

std::vector<tensor::Unit*> PooledHeadSegment::units() const {
  return head_units(head_.norm, head_.transform, head_.projection);
}

std::vector<StateField> PooledHeadSegment::writes(int64_t rows, int64_t /*length*/) const {
  if (head_.projection.weight) return {{kLoss, {}, at::kFloat}};
  return {{kEmbedding, {rows, width_}, dtype_}};
}

State PooledHeadSegment::forward(const State& in,
                                 const MicroBatch& batch,
                                 const ops::OpContext& context) const {
  const at::Tensor normed_BTD = ops::norm(in.at(kHidden), head_.norm, context);
  const at::Tensor pooled_BD = pool(normed_BTD, head_.pooling, batch.tokens);
  State out;
  if (!head_.projection.weight) {
    out.set(kEmbedding, pooled_BD);
    return out;
  }
  const at::Tensor logits_BC =
      ops::linear(head_.transform.forward(pooled_BD, context), head_.projection, context);
  if (batch.labels_BT.defined()) {
    const at::Tensor labels_B = tensor::upload(batch.labels_BT.reshape({-1}), logits_BC.device());
    const at::Tensor sum = at::cross_entropy_loss(
        logits_BC.to(at::kFloat), labels_B, /*weight=*/{}, at::Reduction::Sum, batch.ignore_index);
    out.set(kLoss, sum * batch.loss_scale);
  }
  if (batch.want_logits) out.set(kLogits, logits_BC.detach());
  return out;
}

}  // namespace automodel::nn
