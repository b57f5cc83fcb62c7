// B batch, T tokens, D hidden, E experts
#include "core/nn/moe.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "core/ops/norm.h"

namespace automodel::nn {
namespace {

/// How often each expert is chosen. choice [tokens, k], mask [tokens] f32.
at::Tensor count(const at::Tensor& choice, const at::Tensor& mask, int64_t num_experts) {
  const at::Tensor each = mask.unsqueeze(1).expand_as(choice).reshape({-1});
  return at::zeros({num_experts}, mask.options()).scatter_add_(0, choice.reshape({-1}), each);
}

/// 1 for each token that is not padding. x [tokens, ...]
at::Tensor token_mask(const Tokens& tokens, const at::Tensor& x_TD) {
  const at::TensorOptions options = x_TD.options().dtype(at::kFloat);
  if (tokens.documents_BT.defined()) return tokens.documents_BT.reshape({-1}).ge(0).to(options);
  if (!tokens.lengths_B.defined()) return at::ones({x_TD.size(0)}, options);
  const at::Tensor& lengths_B = tokens.lengths_B;
  const at::Tensor positions = at::arange(x_TD.size(0) / lengths_B.size(0), lengths_B.options());
  return positions.unsqueeze(0).lt(lengths_B.unsqueeze(1)).reshape({-1}).to(options);
}

/// float64 stays: finite differences.
at::Tensor in_float32(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

void add_to(at::Tensor& sum, const at::Tensor& value) {
  sum = sum.defined() ? sum + value : value;
}

}  // namespace

at::Tensor load_balancing_loss(const RouterStats& stats) {
  const at::Tensor products = (stats.choices_E / stats.tokens) * (stats.probabilities_E / stats.tokens);
  return products.sum() * stats.choices_E.size(0);
}

void update_score_bias(at::Tensor& score_bias, const at::Tensor& load, double rate) {
  const c10::NoGradGuard no_grad;
  score_bias.add_((load.mean() - load).sign_(), rate);
}

at::Tensor Moe::forward(const at::Tensor& x_BTD, const MixerInput& in) const {
  const ops::OpContext& context = in.context;
  const at::Tensor x_TD = ops::norm(x_BTD, input_norm, context).reshape({-1, x_BTD.size(2)});
  const ops::Routing routing = choose(x_TD, in);
  const ops::Groups groups = ops::make_groups(routing.experts, config.router.num_experts);
  const at::Tensor inner_TD = latent_in.weight ? ops::linear(x_TD, latent_in, context) : x_TD;
  at::Tensor y_TD = ops::experts(inner_TD, routing.weights, groups, experts, context);
  if (latent_out.weight) y_TD = ops::linear(y_TD, latent_out, context);
  if (shared_down.weight) y_TD = y_TD + shared(x_TD, context);
  return y_TD.view(x_BTD.sizes());
}

ops::Routing Moe::choose(const at::Tensor& x_TD, const MixerInput& in) const {
  if (config.balanced_gate) {
    const at::ScalarType type = x_TD.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    ops::Routing routing = ops::route_balanced(x_TD.size(0), config.router, x_TD.options().dtype(type));
    if (in.router)
      in.router->tokens_per_expert_E =
          count(routing.experts, token_mask(in.tokens, x_TD), config.router.num_experts);
    return routing;
  }
  const at::Tensor logits_TE = ops::router_logits(x_TD, router, config.router.float32, in.context);
  const at::Tensor moves = score_bias ? score_bias.value() : at::Tensor();
  ops::Routing routing = ops::route(logits_TE, moves, config.router);
  if (in.router) record(logits_TE, routing.experts, in);
  return routing;
}

at::Tensor Moe::shared(const at::Tensor& x_TD, const ops::OpContext& context) const {
  const at::Tensor gate_up = ops::linear(x_TD, shared_gate_up, context);
  const auto down = config.gate.gated ? ops::glu_linear : ops::activated_linear;
  const at::Tensor y_TD = down(gate_up, config.gate.activation, shared_down, context);
  return shared_gate.weight ? at::sigmoid(ops::linear(x_TD, shared_gate, context)) * y_TD : y_TD;
}

void Moe::record(const at::Tensor& logits_TE, const at::Tensor& choice, const MixerInput& in) const {
  const at::Tensor mask = token_mask(in.tokens, logits_TE);
  in.router->tokens_per_expert_E = count(choice, mask, config.router.num_experts);
  if (config.aux_loss_coef == 0) return;
  const at::Tensor probabilities = at::softmax(logits_TE, 1);
  const bool moved = score_bias || config.router.n_group > 1;
  const at::Tensor best = moved ? std::get<1>(probabilities.detach().topk(config.router.top_k, 1)) : choice;
  add_to(in.router->probabilities_E, (in_float32(probabilities) * mask.unsqueeze(1)).sum({0}));
  add_to(in.router->choices_E,
         moved ? count(best, mask, config.router.num_experts) : in.router->tokens_per_expert_E);
  add_to(in.router->tokens, mask.sum());
}

}  // namespace automodel::nn
