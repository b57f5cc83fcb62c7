#include "core/ops/linear_math.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include "core/ops/dispatch.h"
#include "core/ops/gemm.h"
#include "core/ops/lora.h"

namespace automodel::ops {

at::Tensor as_rows(const at::Tensor& x) {
  return x.reshape({-1, x.size(-1)});
}

namespace {

/// The biases of all parts as one vector; a null handle when a part has none or they do not lie side by side.
tensor::Weight joined_bias(const Linear& layer) {
  if (layer.bias.empty()) return {};
  tensor::Weight joined = layer.bias[0];
  for (size_t i = 0; i < layer.bias.size(); ++i) {
    const tensor::Weight& part = layer.bias[i];
    if (!part || part.unit != joined.unit || part.first != joined.first + i) return {};
  }
  joined.count = layer.bias.size();
  return joined.unit->contiguous(joined.first, joined.count) ? joined : tensor::Weight();
}

/// x W^T of the parts side by side, and their bias where the product can add it.
at::Tensor products(const at::Tensor& x, const Linear& layer, const tensor::Weight& bias) {
  std::vector<at::Tensor> parts;
  for (const tensor::Weight& piece : layer.weight.pieces()) parts.push_back(piece.value());
  if (bias && parts.size() == 1 && x.is_cuda()) return at::addmm(bias.value(), x, parts[0].t());
  for (at::Tensor& part : parts) part = gemm(x, part.t());
  at::Tensor y = parts.size() == 1 ? parts[0] : at::cat(parts, 1);
  if (bias) y.add_(bias.value());
  return y;
}

}  // namespace

at::Tensor linear_forward(const at::Tensor& x, const Linear& layer, const OpContext& context) {
  const tensor::Weight joined = joined_bias(layer);
  at::Tensor y = products(x, layer, joined);
  int64_t column = 0;
  for (size_t i = 0; i < layer.bias.size() && !joined; ++i) {
    if (layer.bias[i]) y.narrow(1, column, layer.out_features[i]).add_(layer.bias[i].value());
    column += layer.out_features[i];
  }
  if (layer.lora) lora_forward(x, *layer.lora, context, y);
  return y;
}

at::Tensor linear_dx(const at::Tensor& dy, const Linear& layer, at::Tensor dx) {
  int64_t column = 0;
  for (const tensor::Weight& piece : layer.weight.pieces()) {
    const at::Tensor weight = piece.value();
    const at::Tensor part = dy.narrow(1, column, weight.size(0));
    column += weight.size(0);
    const bool accumulate = dx.defined();
    if (!accumulate) dx = at::empty({part.size(0), weight.size(1)}, part.options());
    gemm_out(part, weight, dx, accumulate);
  }
  return dx;
}

void linear_dweights(const at::Tensor& x, const at::Tensor& dy, const Linear& layer, GradSink& sink) {
  int64_t column = 0;
  for (const tensor::Weight& piece : layer.weight.pieces()) {
    const int64_t width = piece.value().size(0);
    sink.linear(piece, x, dy.narrow(1, column, width));
    column += width;
  }
  const tensor::Weight joined = joined_bias(layer);
  if (joined && joined.unit->trainable()) sink.add(joined, dy.sum({0}, false, sum_type(dy)));
  column = 0;
  for (size_t i = 0; i < layer.bias.size() && !joined; ++i) {
    if (layer.bias[i] && layer.bias[i].unit->trainable())
      sink.add(layer.bias[i], dy.narrow(1, column, layer.out_features[i]).sum({0}, false, sum_type(dy)));
    column += layer.out_features[i];
  }
}

at::Tensor linear_backward(const at::Tensor& x,
                           const at::Tensor& dy,
                           const Linear& layer,
                           const OpContext& context,
                           bool needs_dx,
                           at::Tensor dx) {
  linear_dweights(x, dy, layer, *context.sink);
  if (needs_dx) dx = linear_dx(dy, layer, dx);
  if (layer.lora) lora_backward(x, dy, *layer.lora, context, dx);
  return dx;
}

const at::Tensor& anchor_of(const Linear& layer, const Norm* norm) {
  if (norm && norm->weight.unit->trainable()) return norm->weight.unit->anchor();
  if (layer.lora && !layer.weight.unit->trainable()) return layer.lora->a.weight.unit->anchor();
  return layer.weight.unit->anchor();
}

}  // namespace automodel::ops
