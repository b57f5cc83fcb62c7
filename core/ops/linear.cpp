#include "core/ops/linear.h"

#include "core/ops/activation.h"
#include "core/ops/glu.h"
#include "core/ops/linear_math.h"
#include "core/ops/lora.h"
#include "core/ops/node.h"
#include "core/ops/norm.h"
#include "core/ops/rms_norm.h"

namespace automodel::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// [..., in] with the last dimension replaced.
std::vector<int64_t> with_width(const at::Tensor& x, int64_t width) {
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = width;
  return sizes;
}

struct LinearNode {
  Linear layer;
  OpContext context;
  std::vector<int64_t> x_sizes;
};

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            const Linear& layer,
                            const OpContext& context) {
    const at::Tensor rows = as_rows(x);
    ctx->save_for_backward({rows});
    save_value(ctx, LinearNode{layer, context, x.sizes().vec()});
    const at::Tensor y = linear_forward(rows, layer, context);
    return y.view(with_width(x, y.size(1)));
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<LinearNode>(ctx);
    const at::Tensor x = ctx->get_saved_variables()[0];
    const at::Tensor dx =
        linear_backward(x, as_rows(grads[0]), node.layer, node.context, ctx->needs_input_grad(0));
    return {dx.defined() ? dx.view(node.x_sizes) : dx, {}, {}, {}};
  }
};

struct NormLinearNode {
  Norm norm;
  Linear layer;
  OpContext context;
  std::vector<int64_t> x_sizes;
};

class NormLinearFunction : public torch::autograd::Function<NormLinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            const Norm& norm,
                            const Linear& layer,
                            const OpContext& context) {
    const at::Tensor rows = as_rows(x);
    const auto [normed, rstd] = rms_norm_forward(rows, norm);
    ctx->save_for_backward({rows, rstd, context.recompute_cheap ? at::Tensor() : normed});
    save_value(ctx, NormLinearNode{norm, layer, context, x.sizes().vec()});
    const at::Tensor y = linear_forward(normed, layer, context);
    return y.view(with_width(x, y.size(1)));
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<NormLinearNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const at::Tensor normed = saved[2].defined() ? saved[2] : rms_norm_apply(saved[0], saved[1], node.norm);
    // Nothing before a frozen norm learns: no gradient goes there.
    const bool needs_dx = ctx->needs_input_grad(0) || node.norm.weight.unit->trainable();
    const at::Tensor dnormed = linear_backward(normed, as_rows(grads[0]), node.layer, node.context, needs_dx);
    if (!needs_dx) return {{}, {}, {}, {}, {}};
    const at::Tensor dx = rms_norm_backward(dnormed, saved[0], saved[1], node.norm, *node.context.sink);
    return {dx.view(node.x_sizes), {}, {}, {}, {}};
  }
};

class AddNormLinearFunction : public torch::autograd::Function<AddNormLinearFunction> {
 public:
  static variable_list forward(AutogradContext* ctx,
                               const at::Tensor& x,
                               const at::Tensor& addend,
                               const at::Tensor& /*anchor*/,
                               const Norm& norm,
                               const Linear& layer,
                               const OpContext& context) {
    const auto [sum, normed] =
        add_rms_norm_forward(as_rows(x).contiguous(), as_rows(addend).contiguous(), norm);
    ctx->save_for_backward({sum, normed.rstd, context.recompute_cheap ? at::Tensor() : normed.y});
    save_value(ctx, NormLinearNode{norm, layer, context, x.sizes().vec()});
    const at::Tensor y = linear_forward(normed.y, layer, context);
    return {sum.view(x.sizes()), y.view(with_width(x, y.size(1)))};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<NormLinearNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const bool needs_dx = ctx->needs_input_grad(0) || ctx->needs_input_grad(1);
    const at::Tensor past = grads[0].defined() && needs_dx ? as_rows(grads[0]) : at::Tensor();
    at::Tensor dx = past;
    if (grads[1].defined()) {
      const at::Tensor normed = saved[2].defined() ? saved[2] : rms_norm_apply(saved[0], saved[1], node.norm);
      const bool through_norm = needs_dx || node.norm.weight.unit->trainable();
      const at::Tensor dnormed =
          linear_backward(normed, as_rows(grads[1]), node.layer, node.context, through_norm);
      if (through_norm)
        dx = rms_norm_backward(dnormed, saved[0], saved[1], node.norm, *node.context.sink, past);
    }
    if (!needs_dx || !dx.defined()) return {{}, {}, {}, {}, {}, {}};
    dx = dx.view(node.x_sizes);
    return {dx, dx, {}, {}, {}, {}};
  }
};

/// Whether the fused passes compute this norm.
bool is_plain_rms(const Norm& norm) {
  return norm.kind == NormKind::kRms && norm.weight && !norm.bias;
}

/// Of the two ops that begin with an activation.
struct ActivationNode {
  kernels::Activation activation;
  Linear layer;
  OpContext context;
  std::vector<int64_t> x_sizes;
};

class GatedLinearFunction : public torch::autograd::Function<GatedLinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& gate_up,
                            const at::Tensor& /*anchor*/,
                            kernels::Activation activation,
                            const Linear& layer,
                            const OpContext& context) {
    const at::Tensor rows = as_rows(gate_up);
    const at::Tensor product = glu(rows, activation);
    ctx->save_for_backward({rows, context.recompute_cheap ? at::Tensor() : product});
    save_value(ctx, ActivationNode{activation, layer, context, gate_up.sizes().vec()});
    const at::Tensor y = linear_forward(product, layer, context);
    return y.view(with_width(gate_up, y.size(1)));
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<ActivationNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const at::Tensor dy = as_rows(grads[0]);
    const bool needs_dx = ctx->needs_input_grad(0);
    const bool product_again = !saved[1].defined() && needs_dx && !node.layer.lora;
    const at::Tensor drows = product_again ? backward_again(node, saved[0], dy)
                                           : backward_kept(node, saved[0], saved[1], dy, needs_dx);
    return {drows.defined() ? drows.view(node.x_sizes) : drows, {}, {}, {}, {}};
  }

 private:
  /// The product is formed on the way from its gradient to those of gate and up.
  static at::Tensor backward_again(const ActivationNode& node, const at::Tensor& rows, const at::Tensor& dy) {
    const at::Tensor dproduct = linear_dx(dy, node.layer);
    if (!node.layer.weight.unit->trainable()) return glu_backward(dproduct, rows, node.activation);
    const auto [product, drows] = gated_product_again(dproduct, rows, node.activation);
    linear_dweights(product, dy, node.layer, *node.context.sink);
    return drows;
  }

  /// `kept` may be undefined.
  static at::Tensor backward_kept(const ActivationNode& node,
                                  const at::Tensor& rows,
                                  const at::Tensor& kept,
                                  const at::Tensor& dy,
                                  bool needs_dx) {
    const at::Tensor product = kept.defined() ? kept : glu(rows, node.activation);
    const at::Tensor dproduct = linear_backward(product, dy, node.layer, node.context, needs_dx);
    return needs_dx ? glu_backward(dproduct, rows, node.activation) : at::Tensor();
  }
};

class ActivatedLinearFunction : public torch::autograd::Function<ActivatedLinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            kernels::Activation activation,
                            const Linear& layer,
                            const OpContext& context) {
    const at::Tensor rows = as_rows(x);
    const at::Tensor activated = activate(rows, activation);
    ctx->save_for_backward({rows, context.recompute_cheap ? at::Tensor() : activated});
    save_value(ctx, ActivationNode{activation, layer, context, x.sizes().vec()});
    const at::Tensor y = linear_forward(activated, layer, context);
    return y.view(with_width(x, y.size(1)));
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<ActivationNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const at::Tensor activated = saved[1].defined() ? saved[1] : activate(saved[0], node.activation);
    const bool needs_dx = ctx->needs_input_grad(0);
    const at::Tensor dactivated =
        linear_backward(activated, as_rows(grads[0]), node.layer, node.context, needs_dx);
    if (!needs_dx) return {{}, {}, {}, {}, {}};
    return {activate_backward(dactivated, saved[0], node.activation).view(node.x_sizes), {}, {}, {}, {}};
  }
};

}  // namespace

std::vector<tensor::FlatParameter*> units_of(const Linear& layer) {
  std::vector<tensor::FlatParameter*> units = {layer.weight.unit};
  if (layer.lora) units.push_back(layer.lora->a.weight.unit);
  return units;
}

at::Tensor linear(const at::Tensor& x, const Linear& layer, const OpContext& context) {
  return LinearFunction::apply(x, anchor_of(layer), layer, context);
}

at::Tensor norm_linear(const at::Tensor& x, const Norm& norm, const Linear& layer, const OpContext& context) {
  if (is_plain_rms(norm)) return NormLinearFunction::apply(x, anchor_of(layer, &norm), norm, layer, context);
  return linear(ops::norm(x, norm, context), layer, context);
}

AddedLinear add_norm_linear(const at::Tensor& x,
                            const at::Tensor& addend,
                            const Norm& norm,
                            const Linear& layer,
                            const OpContext& context) {
  if (!is_plain_rms(norm)) {
    const at::Tensor sum = x + addend;
    return {sum, norm_linear(sum, norm, layer, context)};
  }
  const variable_list both =
      AddNormLinearFunction::apply(x, addend, anchor_of(layer, &norm), norm, layer, context);
  return {both[0], both[1]};
}

at::Tensor glu_linear(const at::Tensor& gate_up,
                      kernels::Activation activation,
                      const Linear& layer,
                      const OpContext& context) {
  return GatedLinearFunction::apply(gate_up, anchor_of(layer), activation, layer, context);
}

at::Tensor activated_linear(const at::Tensor& x,
                            kernels::Activation activation,
                            const Linear& layer,
                            const OpContext& context) {
  return ActivatedLinearFunction::apply(x, anchor_of(layer), activation, layer, context);
}

}  // namespace automodel::ops
