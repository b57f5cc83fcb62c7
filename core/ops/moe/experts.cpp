// S slots (tokens times k), D hidden, F ffn, E experts
#include "core/ops/moe/experts.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>

#include "core/kernels/combine_rows.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"
#include "core/ops/moe/expert_glu.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <class T>
void combine_on_host(const at::Tensor& y_SD,
                     const at::Tensor& slots,
                     const at::Tensor& weights,
                     at::Tensor& out) {
  constexpr int64_t kRowsPerThread = 16;
  const int64_t k = slots.size(1);
  const int64_t d = y_SD.size(1);
  at::parallel_for(0, out.size(0), kRowsPerThread, [&](int64_t begin, int64_t end) {
    kernels::combine_rows(data<T>(y_SD),
                          data<int64_t>(slots) + begin * k,
                          weights.defined() ? data<kernels::Compute<T>>(weights) + begin * k : nullptr,
                          mutable_data<T>(out) + begin * d,
                          end - begin,
                          k,
                          d);
  });
}

/// Rows of the slots of each token, added up; `weights` [tokens, k] may be undefined.
at::Tensor combine(const at::Tensor& y_SD, const Groups& groups, const at::Tensor& weights) {
  const at::Tensor& slots = groups.slots;
  at::Tensor out = at::empty({slots.size(0), y_SD.size(1)}, y_SD.options());
  if (y_SD.is_cuda()) {
    cuda().combine_rows({.element = element_of(y_SD, "experts"),
                         .y = y_SD.const_data_ptr(),
                         .slots = data<int64_t>(slots),
                         .weights = weights.defined() ? data<float>(weights) : nullptr,
                         .out = out.mutable_data_ptr(),
                         .rows = slots.size(0),
                         .k = slots.size(1),
                         .d = y_SD.size(1),
                         .stream = cuda().current_stream()});
    return out;
  }
  with_element_type(y_SD, "experts", [&]<class T>(T) { combine_on_host<T>(y_SD, slots, weights, out); });
  return out;
}

/// Adds each expert's row of `bias` [E, W] to the span of y [S, W].
void add_bias(const Span& span, const Groups& groups, const tensor::Weight& bias, at::Tensor& y) {
  if (!bias) return;
  const at::Tensor value = bias.value();
  if (span.expert >= 0) {
    y.narrow(0, span.begin, span.size()).add_(value[span.expert]);
  } else {
    y.add_(value.index_select(0, groups.expert_of_slot()));
  }
}

struct ExpertsNode {
  Experts layer;
  Groups groups;
  OpContext context;
};

/// What the forward of one layer makes, span by span.
class Forward {
 public:
  Forward(const at::Tensor& x_TD, const at::Tensor& weights_S, const Experts& layer, const Groups& groups)
      : x_TD_(x_TD), weights_S_(weights_S), layer_(layer), groups_(groups) {
    const at::Tensor up = layer.gate_up.value();
    const int64_t slots = groups.order.size(0);
    gate_up_SF = at::empty({slots, up.size(1)}, x_TD.options());
    y_SD = at::empty({slots, x_TD.size(1)}, x_TD.options());
  }

  void operator()(const Span& span) {
    at::Tensor x_SD = x_TD_.index_select(0, groups_.rows.narrow(0, span.begin, span.size()));
    if (layer_.apply_router_weight_on_input)
      x_SD.mul_(weights_S_.narrow(0, span.begin, span.size()).unsqueeze(1));
    grouped_product(span, groups_, x_SD, layer_.gate_up.value(), true, gate_up_SF);
    add_bias(span, groups_, layer_.gate_up_bias, gate_up_SF);
    const at::Tensor product_SF = expert_glu(gate_up_SF.narrow(0, span.begin, span.size()), layer_.gate);
    grouped_product(span, groups_, product_SF, layer_.down.value(), true, y_SD);
    add_bias(span, groups_, layer_.down_bias, y_SD);
  }

  at::Tensor gate_up_SF, y_SD;

 private:
  const at::Tensor& x_TD_;
  const at::Tensor& weights_S_;
  const Experts& layer_;
  const Groups& groups_;
};

/// And its backward: fills the gradients of the slots and the operands of the weights' gradients.
class Backward {
 public:
  Backward(const at::Tensor& x_TD,
           const at::Tensor& weights_S,
           const at::Tensor& gate_up_SF,
           const at::Tensor& dy_TD,
           const ExpertsNode& node)
      : x_TD_(x_TD), weights_S_(weights_S), gate_up_SF_(gate_up_SF), dy_TD_(dy_TD), node_(node) {
    const int64_t slots = gate_up_SF.size(0);
    dweights_S = at::empty(weights_S.sizes(), weights_S.options());
    x_SD = at::empty({slots, x_TD.size(1)}, x_TD.options());
    dy_SD = at::empty_like(x_SD);
    dx_SD = at::empty_like(x_SD);
    product_SF = at::empty({slots, gate_up_SF.size(1) / node.layer.gate.parts()}, x_TD.options());
    dproduct_SF = at::empty_like(product_SF);
    dgate_up_SF = at::empty_like(gate_up_SF);
  }

  void operator()(const Span& span) {
    const Experts& layer = node_.layer;
    const at::Tensor rows = part(node_.groups.rows, span);
    at::Tensor x = part(x_SD, span), dy = part(dy_SD, span);
    at::index_select_out(x, x_TD_, 0, rows);
    at::index_select_out(dy, dy_TD_, 0, rows);
    grouped_product(span, node_.groups, dy, layer.down.value(), false, dproduct_SF);
    layer.apply_router_weight_on_input ? weighted_input(span) : weighted_output(span);
  }

  at::Tensor dweights_S;
  at::Tensor x_SD, dy_SD, dx_SD;
  at::Tensor product_SF, dproduct_SF, dgate_up_SF;

 private:
  /// y = sum of w * mlp(x): the gradient of w is that of the product, times the product.
  void weighted_output(const Span& span) {
    const Experts& layer = node_.layer;
    product_backward(span, part(weights_S_, span));
    if (layer.down_bias) part(dweights_S, span).add_(down_bias_part(span));
  }

  /// y = sum of mlp(w * x).
  void weighted_input(const Span& span) {
    product_backward(span, {});
    at::Tensor dx = part(dx_SD, span), x = part(x_SD, span);
    part(dweights_S, span).copy_((dx * x).sum({1}, false, dweights_S.scalar_type()));
    const at::Tensor weights = part(weights_S_, span).unsqueeze(1);
    dx.mul_(weights);
    x.mul_(weights);
  }

  void product_backward(const Span& span, const at::Tensor& weights) {
    const at::Tensor dgate_up = part(dgate_up_SF, span);
    expert_glu_backward(part(dproduct_SF, span),
                        part(gate_up_SF_, span),
                        weights,
                        node_.layer.gate,
                        {part(product_SF, span), dgate_up, part(dweights_S, span)});
    grouped_product(span, node_.groups, dgate_up, node_.layer.gate_up.value(), false, dx_SD);
  }

  static at::Tensor part(const at::Tensor& all, const Span& span) {
    return all.narrow(0, span.begin, span.size());
  }

  at::Tensor down_bias_part(const Span& span) const {
    const at::Tensor bias = node_.layer.down_bias.value();
    const at::Tensor dy = dy_SD.narrow(0, span.begin, span.size());
    const at::Tensor row =
        span.expert >= 0 ? bias[span.expert] : bias.index_select(0, node_.groups.expert_of_slot());
    return (dy * row).sum({1}, false, dweights_S.scalar_type());
  }

  const at::Tensor& x_TD_;
  const at::Tensor& weights_S_;
  const at::Tensor& gate_up_SF_;
  const at::Tensor& dy_TD_;
  const ExpertsNode& node_;
};

bool at_once(const at::Tensor& x_TD, const Experts& layer) {
  return multiplies_at_once(x_TD, {x_TD.size(1), layer.down.value().size(2)});
}

class ExpertsFunction : public torch::autograd::Function<ExpertsFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& weights,
                            const at::Tensor& /*anchor*/,
                            const Groups& groups,
                            const Experts& layer,
                            const OpContext& context) {
    const at::Tensor weights_S = weights.reshape({-1}).index_select(0, groups.order);
    Forward forward(x, weights_S, layer, groups);
    for_each_span(groups, at_once(x, layer), std::ref(forward));
    ctx->save_for_backward({x, weights_S, forward.gate_up_SF});
    save_value(ctx, ExpertsNode{layer, groups, context});
    return combine(forward.y_SD, groups, layer.apply_router_weight_on_input ? at::Tensor() : weights);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& node = saved_value<ExpertsNode>(ctx);
    const auto saved = ctx->get_saved_variables();
    const at::Tensor dy = grads[0].contiguous();
    Backward backward(saved[0], saved[1], saved[2], dy, node);
    for_each_span(node.groups, at_once(dy, node.layer), std::ref(backward));
    GradSink& sink = *node.context.sink;
    sink.experts(node.layer.down, backward.product_SF, backward.dy_SD, node.groups);
    sink.experts(node.layer.gate_up, backward.x_SD, backward.dgate_up_SF, node.groups);
    const at::Tensor weights = node.layer.apply_router_weight_on_input ? at::Tensor() : saved[1];
    if (node.layer.down_bias) sink.expert_biases(node.layer.down_bias, backward.dy_SD, weights, node.groups);
    if (node.layer.gate_up_bias)
      sink.expert_biases(node.layer.gate_up_bias, backward.dgate_up_SF, {}, node.groups);
    const at::Tensor dx = ctx->needs_input_grad(0) ? combine(backward.dx_SD, node.groups, {}) : at::Tensor();
    const at::Tensor dweights = backward.dweights_S.index_select(0, node.groups.slots.view({-1}));
    return {dx, dweights.view(node.groups.slots.sizes()), {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor experts(const at::Tensor& x,
                   const at::Tensor& weights,
                   const Groups& groups,
                   const Experts& layer,
                   const OpContext& context) {
  return ExpertsFunction::apply(x, weights, layer.gate_up.unit->anchor(), groups, layer, context);
}

}  // namespace automodel::ops
