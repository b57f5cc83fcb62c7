// Fields of mixtures of experts.
#include "core/families/field_setters.h"

namespace automodel::families {
namespace {

constexpr std::array kRouterScores = {std::pair{"softmax", kernels::RouterScore::kSoftmax},
                                      std::pair{"softmax_of_chosen", kernels::RouterScore::kSoftmaxOfChosen},
                                      std::pair{"sigmoid", kernels::RouterScore::kSigmoid}};
constexpr std::array kGroupScores = {std::pair{"best", kernels::GroupScore::kBest},
                                     std::pair{"best_two", kernels::GroupScore::kBestTwo}};

}  // namespace

std::vector<Field> moe_fields();

std::vector<Field> moe_fields() {
  constexpr int64_t kMaxExperts = 1 << 16;
  return {
      {"num_experts",
       "experts of a layer that has any",
       size(OF(layer.moe.router.num_experts), 1, kMaxExperts)},
      {"num_experts_per_tok",
       "experts that a token passes",
       size(OF(layer.moe.router.top_k), 0, kMaxExperts)},
      {"moe_intermediate_size", "width of one expert", size(OF(layer.moe.intermediate_size), 1)},
      {"router_score",
       "softmax, softmax_of_chosen or sigmoid",
       one_of(OF(layer.moe.router.score), kRouterScores)},
      {"norm_topk_prob",
       "weights of the chosen are divided by their sum",
       yes_or_no(OF(layer.moe.router.norm_topk_prob))},
      {"router_normalize_eps",
       "added to the sum that norm_topk_prob divides by",
       number(OF(layer.moe.router.normalize_eps))},
      {"router_normalize_min",
       "the sum that norm_topk_prob divides by counts as at least this",
       number(OF(layer.moe.router.normalize_min))},
      {"router_scale", "multiplies the weights", number(OF(layer.moe.router.scale))},
      {"n_group", "groups of neighbouring experts", size(OF(layer.moe.router.n_group), 1, kMaxExperts)},
      {"topk_group",
       "groups of experts that take part for a token",
       size(OF(layer.moe.router.topk_group), 1, kMaxExperts)},
      {"router_group_score", "best or best_two", one_of(OF(layer.moe.router.group_score), kGroupScores)},
      {"router_grouped", "false: groups take no part", yes_or_no(OF(router_grouped))},
      {"dense_layers",
       "leading layers without experts",
       [](Draft& d, const json& v, const std::string& w) { d.dense_layers = as_int(v, w, 0, kMaxLayers); }},
      {"router_bias", "bias of the router's projection", yes_or_no(OF(layer.moe.router.bias))},
      {"router_score_bias",
       "a vector moves the choice of experts",
       yes_or_no(OF(layer.moe.router.score_bias))},
      {"router_float32", "logits are formed in float32", yes_or_no(OF(layer.moe.router.float32))},
      {"router_last", "drawn at random after the experts", yes_or_no(OF(layer.moe.router_last))},
      {"router_update_rate",
       "what the vector moves by after a step, towards experts with less load; 0: it stays",
       number(OF(layer.moe.bias_update_rate))},
      {"router_aux_loss_coef",
       "of the load-balancing loss over all layers",
       number(OF(layer.moe.aux_loss_coef))},
      {"expert_bias", "biases of the experts", yes_or_no(OF(layer.moe.bias))},
      {"expert_gate_limit",
       "clamps gate and up of GPT-OSS's gate; 0: a plain gate",
       number(OF(layer.moe.gate.limit))},
      {"expert_gate_alpha", "gain of the sigmoid in GPT-OSS's gate", number(OF(layer.moe.gate.alpha))},
      {"apply_router_weight_on_input",
       "weights multiply the experts' inputs",
       yes_or_no(OF(layer.moe.apply_router_weight_on_input))},
      {"expert_latent_size",
       "width of what the experts read and give, between two projections; 0 or null: hidden_size",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.moe.latent_size = v.is_null() ? 0 : as_int(v, w, 1, kMaxSize);
       }},
      {"expert_latent_bias",
       "biases of the projections of expert_latent_size",
       yes_or_no(OF(layer.moe.latent_bias))},
      {"num_shared_experts", "experts that every token passes", size(OF(num_shared_experts), 0, kMaxExperts)},
      {"shared_expert_intermediate_size",
       "width of all shared experts together",
       size(OF(layer.moe.shared_intermediate_size), 0)},
      {"shared_expert_bias", "biases of the shared experts", yes_or_no(OF(layer.moe.shared_bias))},
      {"shared_expert_gate",
       "the shared experts' output has a sigmoid gate",
       yes_or_no(OF(layer.moe.shared_gate))},
  };
}

}  // namespace automodel::families
