#include "core/ops/layer_norm.h"

#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>

#include "core/ops/linear_math.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

struct LayerNormNode {
  Norm norm;
  GradSink* sink;
};

bool learns(const tensor::Weight& weight) {
  return weight && weight.unit->trainable();
}

/// Undefined for a null handle.
std::optional<at::Tensor> value_of(const tensor::Weight& weight, double offset) {
  if (!weight) return std::nullopt;
  return offset == 0 ? weight.value() : weight.value() + offset;
}

class LayerNormFunction : public torch::autograd::Function<LayerNormFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            const Norm& norm,
                            const OpContext& context) {
    const auto [y, mean, rstd] = at::native_layer_norm(
        x, {x.size(-1)}, value_of(norm.weight, norm.weight_offset), value_of(norm.bias, 0), norm.eps);
    ctx->save_for_backward({x, mean, rstd});
    save_value(ctx, LayerNormNode{norm, context.sink});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto& [norm, sink] = saved_value<LayerNormNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const auto [dx, dweight, dbias] =
        at::native_layer_norm_backward(grads[0].contiguous(),
                                       saved[0],
                                       {saved[0].size(-1)},
                                       saved[1],
                                       saved[2],
                                       value_of(norm.weight, norm.weight_offset),
                                       value_of(norm.bias, 0),
                                       {ctx->needs_input_grad(0), learns(norm.weight), learns(norm.bias)});
    if (learns(norm.weight)) sink->add(norm.weight, dweight);
    if (learns(norm.bias)) sink->add(norm.bias, dbias);
    return {dx, {}, {}, {}};
  }
};

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const Norm& norm, const OpContext& context) {
  const at::Tensor anchor = norm.weight ? norm.weight.unit->anchor() : at::Tensor();
  if (anchor.defined()) return LayerNormFunction::apply(x.contiguous(), anchor, norm, context);
  ensure(!norm.bias, "a layer norm with a bias has a weight");
  return std::get<0>(at::native_layer_norm(x, {x.size(-1)}, std::nullopt, std::nullopt, norm.eps));
}

}  // namespace automodel::ops
