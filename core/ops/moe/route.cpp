#include "core/ops/moe/route.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>

#include "core/ops/dispatch.h"
#include "core/ops/linear_math.h"
#include "core/ops/node.h"

namespace automodel::ops {
namespace {

using kernels::RouterConfig;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRowsPerThread = 64;

struct LogitsNode {
  Linear layer;
  OpContext context;
};

at::Tensor as_float(const at::Tensor& x) {
  return x.to(at::kFloat);
}

/// Only for operands that are not float32 already.
class LogitsFunction : public torch::autograd::Function<LogitsFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx,
                            const at::Tensor& x,
                            const at::Tensor& /*anchor*/,
                            const Linear& layer,
                            const OpContext& context) {
    ctx->save_for_backward({x});
    save_value(ctx, LogitsNode{layer, context});
    at::Tensor logits = at::mm(as_float(x), as_float(layer.weight.value()).t());
    if (!layer.bias.empty()) logits.add_(layer.bias[0].value());
    return logits;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& [layer, context] = saved_value<LogitsNode>(ctx);
    const at::Tensor x = ctx->get_saved_variables()[0];
    const at::Tensor& dlogits = grads[0];
    if (layer.weight.unit->trainable()) context.sink->add(layer.weight, at::mm(dlogits.t(), as_float(x)));
    if (!layer.bias.empty() && layer.bias[0].unit->trainable())
      context.sink->add(layer.bias[0], dlogits.sum({0}));
    at::Tensor dx;
    if (ctx->needs_input_grad(0)) dx = at::mm(dlogits, as_float(layer.weight.value())).to(x.scalar_type());
    return {dx, {}, {}, {}};
  }
};

/// Runs `body` with the element type of the logits, rows split over threads.
template <class Body>
void over_rows(const at::Tensor& logits, Body body) {
  at::parallel_for(0, logits.size(0), kRowsPerThread, [&](int64_t begin, int64_t end) {
    logits.scalar_type() == at::kDouble ? body(double{}, begin, end) : body(float{}, begin, end);
  });
}

void choose_on_host(const RouterConfig& config,
                    const at::Tensor& logits,
                    const at::Tensor& score_bias,
                    at::Tensor& experts,
                    at::Tensor& weights) {
  over_rows(logits, [&]<class T>(T, int64_t begin, int64_t end) {
    kernels::route(config,
                   data<T>(logits) + begin * config.num_experts,
                   score_bias.defined() ? data<float>(score_bias) : nullptr,
                   mutable_data<int64_t>(experts) + begin * config.top_k,
                   mutable_data<T>(weights) + begin * config.top_k,
                   end - begin);
  });
}

/// Not as inputs of the graph: the score bias may be undefined and gets no gradient.
struct RouteNode {
  const RouterConfig config;
  const at::Tensor score_bias;
};

class RouteFunction : public torch::autograd::Function<RouteFunction> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& logits, const RouteNode& node) {
    const RouterConfig& config = node.config;
    at::Tensor experts = at::empty({logits.size(0), config.top_k}, logits.options().dtype(at::kLong));
    at::Tensor weights = at::empty({logits.size(0), config.top_k}, logits.options());
    choose_on_host(config, logits, node.score_bias, experts, weights);
    ctx->save_for_backward({logits, experts});
    ctx->mark_non_differentiable({experts});
    save_value(ctx, config);
    return {experts, weights};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& config = saved_value<RouterConfig>(ctx);
    const auto saved = ctx->get_saved_variables();
    const at::Tensor& logits = saved[0];
    const at::Tensor dweights = grads[1].contiguous();
    at::Tensor dlogits = at::empty_like(logits);
    over_rows(logits, [&]<class T>(T, int64_t begin, int64_t end) {
      kernels::route_backward(config,
                              data<T>(logits) + begin * config.num_experts,
                              data<int64_t>(saved[1]) + begin * config.top_k,
                              data<T>(dweights) + begin * config.top_k,
                              mutable_data<T>(dlogits) + begin * config.num_experts,
                              end - begin);
    });
    return {dlogits, {}};
  }
};

/// Scores of all experts; the logits where only the chosen ones are normalised.
at::Tensor scores_of(const at::Tensor& logits, const RouterConfig& config) {
  switch (config.score) {
    case kernels::RouterScore::kSoftmax:
      return at::softmax(logits, 1);
    case kernels::RouterScore::kSoftmaxOfChosen:
      return logits;
    case kernels::RouterScore::kSigmoid:
      return at::sigmoid(logits);
  }
  fail(ErrorCode::kInternal, "router score ", static_cast<int>(config.score));
}

/// Strikes out the experts of all but the best groups.
at::Tensor within_best_groups(const at::Tensor& choice, const RouterConfig& config) {
  const at::Tensor grouped = choice.view({choice.size(0), config.n_group, -1});
  const int64_t best = config.group_score == kernels::GroupScore::kBest ? 1 : 2;
  const at::Tensor scores = std::get<0>(grouped.topk(best, 2)).sum({2});
  const at::Tensor kept = std::get<1>(scores.topk(config.topk_group, 1));
  const at::Tensor mask = at::zeros_like(scores, at::kBool).scatter_(1, kept, true);
  return grouped.masked_fill(mask.logical_not().unsqueeze(2), -std::numeric_limits<double>::infinity())
      .view(choice.sizes());
}

/// The same with ATen's operators, for a GPU.
Routing route_on_device(const at::Tensor& logits, const at::Tensor& score_bias, const RouterConfig& config) {
  const at::Tensor scores = scores_of(logits, config);
  Routing routing;
  {
    const c10::NoGradGuard no_grad;
    at::Tensor choice = score_bias.defined() ? scores + score_bias : scores;
    if (config.n_group > 1) choice = within_best_groups(choice, config);
    routing.experts = std::get<1>(choice.topk(config.top_k, 1));
  }
  at::Tensor chosen = at::gather(scores, 1, routing.experts);
  if (config.score == kernels::RouterScore::kSoftmaxOfChosen) chosen = at::softmax(chosen, 1);
  if (config.norm_topk_prob) {
    const at::Tensor sum = chosen.sum({1}, true) + config.normalize_eps;
    chosen = chosen / (config.normalize_min > 0 ? sum.clamp_min(config.normalize_min) : sum);
  }
  routing.weights = config.scale == 1.0 ? chosen : chosen * config.scale;
  return routing;
}

void check_config(const at::Tensor& logits, const at::Tensor& score_bias, const RouterConfig& config) {
  const int64_t in_reach = config.num_experts / config.n_group * config.topk_group;
  check(logits.dim() == 2 && logits.size(1) == config.num_experts &&
            config.num_experts % config.n_group == 0 && config.top_k >= 1 && config.top_k <= in_reach,
        ErrorCode::kInvalidArgument,
        "route: the ",
        config.top_k,
        " best of ",
        config.num_experts,
        " experts in ",
        config.topk_group,
        " of ",
        config.n_group,
        " groups, from logits ",
        logits.sizes());
  check(!score_bias.defined() ||
            (score_bias.scalar_type() == at::kFloat && score_bias.numel() == config.num_experts),
        ErrorCode::kInvalidArgument,
        "route: expected a float32 score bias of ",
        config.num_experts,
        " experts");
}

}  // namespace

at::Tensor router_logits(const at::Tensor& x, const Linear& layer, bool float32, const OpContext& context) {
  const bool converts = float32 && x.scalar_type() != at::kFloat && x.scalar_type() != at::kDouble;
  if (!converts) return linear(x, layer, context);
  return LogitsFunction::apply(x, anchor_of(layer), layer, context);
}

Routing route(const at::Tensor& logits, const at::Tensor& score_bias, const RouterConfig& config) {
  check_config(logits, score_bias, config);
  const at::Tensor wide = logits.scalar_type() == at::kDouble ? logits : as_float(logits);
  if (logits.is_cuda()) return route_on_device(wide, score_bias, config);
  const variable_list chosen = RouteFunction::apply(wide.contiguous(), RouteNode{config, score_bias});
  return {chosen[0], chosen[1]};
}

Routing route_balanced(int64_t tokens, const RouterConfig& config, const at::TensorOptions& options) {
  const at::Tensor places = at::arange(tokens * config.top_k, options.dtype(at::kLong));
  const double share = 1.0 / static_cast<double>(config.top_k);
  return {.experts = places.remainder(config.num_experts).view({tokens, config.top_k}),
          .weights = at::full({tokens, config.top_k}, share, options)};
}

}  // namespace automodel::ops
