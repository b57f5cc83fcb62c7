#include "core/ops/channel_scale.h"

#include "core/ops/dispatch.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

struct ScaleNode {
  tensor::Weight weight;
  double offset;
  GradSink* sink;

  at::Tensor factors() const { return offset == 0 ? weight.value() : weight.value() + offset; }
};

class ChannelScaleFunction : public torch::autograd::Function<ChannelScaleFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            const ScaleNode& node) {
    ctx->save_for_backward({x});
    save_value(ctx, node);
    return x * node.factors();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto& node = saved_value<ScaleNode>(ctx);
    if (node.weight.unit->trainable()) {
      const at::Tensor x = ctx->get_saved_variables()[0];
      const at::Tensor value = node.weight.value();
      const at::Tensor product = (grads[0].to(sum_type(x)) * x).reshape({-1, value.numel()});
      node.sink->add(node.weight, product.sum(0).view(value.sizes()));
    }
    return {grads[0] * node.factors(), {}, {}};
  }
};

}  // namespace

at::Tensor channel_scale(const at::Tensor& x,
                         const tensor::Weight& weight,
                         double offset,
                         const OpContext& context) {
  return ChannelScaleFunction::apply(x, weight.unit->anchor(), ScaleNode{weight, offset, context.sink});
}

}  // namespace automodel::ops
