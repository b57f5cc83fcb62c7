#include "core/ops/lora.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include "core/ops/dropout.h"
#include "core/ops/linear_math.h"

namespace automodel::ops {
namespace {

bool drops(const Lora& lora, const OpContext& context) {
  return lora.dropout > 0 && context.dropout_keys.defined();
}

/// The linear of one part's A, and that part's input.
Linear a_of_part(const Lora& lora, size_t part) {
  Linear a;
  a.weight = {lora.a.weight.unit, lora.a.weight.first + part, 1};
  a.out_features = {lora.a.out_features[part]};
  return a;
}

at::Tensor mask_of(
    const Lora& lora, size_t part, int64_t width, const OpContext& context, const at::Tensor& like) {
  return dropout_mask(context.dropout_keys, lora.parts[part].site, width, lora.dropout, like);
}

/// scale * A_i x of all parts, side by side.
at::Tensor low_rank(const at::Tensor& x, const Lora& lora, const OpContext& context) {
  if (!lora.dropout_first || !drops(lora, context))
    return linear_forward(x, lora.a, context).mul_(lora.scale);
  // Each part sees its own mask of x.
  const int64_t rank = lora.a.out_features[0];
  at::Tensor h = at::empty({x.size(0), rank * static_cast<int64_t>(lora.parts.size())}, x.options());
  for (size_t i = 0; i < lora.parts.size(); ++i) {
    const at::Tensor dropped = mask_of(lora, i, x.size(1), context, x).mul_(x);
    h.narrow(1, static_cast<int64_t>(i) * rank, rank)
        .copy_(linear_forward(dropped, a_of_part(lora, i), context));
  }
  return h.mul_(lora.scale);
}

}  // namespace

void lora_forward(const at::Tensor& x, const Lora& lora, const OpContext& context, at::Tensor& y) {
  const at::Tensor h = low_rank(x, lora, context);
  const int64_t rank = lora.a.out_features[0];
  for (size_t i = 0; i < lora.parts.size(); ++i) {
    const at::Tensor b = lora.parts[i].b.value();
    at::Tensor part = y.narrow(1, lora.parts[i].column, b.size(0));
    const at::Tensor h_part = h.narrow(1, static_cast<int64_t>(i) * rank, rank);
    if (!lora.dropout_first && drops(lora, context)) {
      part.add_(at::mm(h_part, b.t()).mul_(mask_of(lora, i, b.size(0), context, y)));
    } else {
      part.addmm_(h_part, b.t());
    }
  }
}

void lora_backward(
    const at::Tensor& x, const at::Tensor& dy, const Lora& lora, const OpContext& context, at::Tensor& dx) {
  const at::Tensor h = low_rank(x, lora, context);
  const int64_t rank = lora.a.out_features[0];
  at::Tensor dh = at::empty(h.sizes(), h.options());
  for (size_t i = 0; i < lora.parts.size(); ++i) {
    const at::Tensor b = lora.parts[i].b.value();
    at::Tensor dy_part = dy.narrow(1, lora.parts[i].column, b.size(0));
    if (!lora.dropout_first && drops(lora, context))
      dy_part = mask_of(lora, i, b.size(0), context, dy).mul_(dy_part);
    const int64_t first = static_cast<int64_t>(i) * rank;
    context.sink->linear(lora.parts[i].b, h.narrow(1, first, rank), dy_part);
    dh.narrow(1, first, rank).copy_(at::mm(dy_part, b));
  }
  dh.mul_(lora.scale);
  if (!lora.dropout_first || !drops(lora, context)) {
    linear_backward(x, dh, lora.a, context, dx.defined(), dx);
    return;
  }
  for (size_t i = 0; i < lora.parts.size(); ++i) {
    const at::Tensor mask = mask_of(lora, i, x.size(1), context, x);
    const at::Tensor dh_part = dh.narrow(1, static_cast<int64_t>(i) * rank, rank);
    const at::Tensor share = linear_backward(x * mask, dh_part, a_of_part(lora, i), context, dx.defined());
    if (dx.defined()) dx.addcmul_(share, mask);
  }
}

}  // namespace automodel::ops
