#include "core/ops/linear_math.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/mm.h>

#include "core/ops/lora.h"

namespace automodel::ops {

at::Tensor as_rows(const at::Tensor& x) {
  return x.reshape({-1, x.size(-1)});
}

at::Tensor linear_forward(const at::Tensor& x, const Linear& layer, const OpContext& context) {
  std::vector<at::Tensor> parts;
  for (const tensor::Weight& piece : layer.weight.pieces()) parts.push_back(at::mm(x, piece.value().t()));
  at::Tensor y = parts.size() == 1 ? parts[0] : at::cat(parts, 1);
  int64_t column = 0;
  for (size_t i = 0; i < layer.bias.size(); ++i) {
    if (layer.bias[i]) y.narrow(1, column, layer.out_features[i]).add_(layer.bias[i].value());
    column += layer.out_features[i];
  }
  if (layer.lora) lora_forward(x, *layer.lora, context, y);
  return y;
}

at::Tensor linear_backward(const at::Tensor& x,
                           const at::Tensor& dy,
                           const Linear& layer,
                           const OpContext& context,
                           bool needs_dx,
                           at::Tensor dx) {
  int64_t column = 0;
  for (const tensor::Weight& piece : layer.weight.pieces()) {
    const at::Tensor weight = piece.value();
    const at::Tensor part = dy.narrow(1, column, weight.size(0));
    column += weight.size(0);
    context.sink->linear(piece, x, part);
    if (!needs_dx) continue;
    if (dx.defined()) {
      dx.addmm_(part, weight);
    } else {
      dx = at::mm(part, weight);
    }
  }
  column = 0;
  for (size_t i = 0; i < layer.bias.size(); ++i) {
    if (layer.bias[i] && layer.bias[i].unit->trainable()) {
      context.sink->add(layer.bias[i],
                        dy.narrow(1, column, layer.out_features[i]).sum({0}, false, at::kFloat));
    }
    column += layer.out_features[i];
  }
  if (layer.lora) lora_backward(x, dy, *layer.lora, context, dx);
  return dx;
}

const at::Tensor& anchor_of(const Linear& layer, const Norm* norm) {
  if (norm && norm->weight.unit->trainable()) return norm->weight.unit->anchor();
  if (layer.lora && !layer.weight.unit->trainable()) return layer.lora->a.weight.unit->anchor();
  return layer.weight.unit->anchor();
}

}  // namespace automodel::ops
