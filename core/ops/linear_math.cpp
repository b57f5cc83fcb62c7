#include "core/ops/linear_math.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/mm.h>

namespace automodel::ops {

at::Tensor as_rows(const at::Tensor& x) {
  return x.reshape({-1, x.size(-1)});
}

at::Tensor linear_forward(const at::Tensor& x, const Linear& layer) {
  std::vector<at::Tensor> parts;
  for (const tensor::Weight& piece : layer.weight.pieces()) parts.push_back(at::mm(x, piece.value().t()));
  at::Tensor y = parts.size() == 1 ? parts[0] : at::cat(parts, 1);
  int64_t column = 0;
  for (size_t i = 0; i < layer.bias.size(); ++i) {
    if (layer.bias[i]) y.narrow(1, column, layer.out_features[i]).add_(layer.bias[i].value());
    column += layer.out_features[i];
  }
  return y;
}

at::Tensor linear_backward(
    const at::Tensor& x, const at::Tensor& dy, const Linear& layer, GradSink& sink, bool needs_dx) {
  at::Tensor dx;
  int64_t column = 0;
  for (const tensor::Weight& piece : layer.weight.pieces()) {
    const at::Tensor weight = piece.value();
    const at::Tensor part = dy.narrow(1, column, weight.size(0));
    column += weight.size(0);
    sink.linear(piece, x, part);
    if (!needs_dx) continue;
    if (dx.defined()) {
      dx.addmm_(part, weight);
    } else {
      dx = at::mm(part, weight);
    }
  }
  column = 0;
  for (size_t i = 0; i < layer.bias.size(); ++i) {
    if (layer.bias[i]) {
      sink.add(layer.bias[i], dy.narrow(1, column, layer.out_features[i]).sum({0}, false, at::kFloat));
    }
    column += layer.out_features[i];
  }
  return dx;
}

}  // namespace automodel::ops
