#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using C = OptimizerConfig;

void read_betas(const Node& value, C& config) {
  check(value.is_list() && value.items.size() == 2,
        ErrorCode::kConfig,
        "expected two numbers like [0.9, 0.999], not ",
        summary(value));
  config.beta1 = read_as<double>(value.items[0]);
  config.beta2 = read_as<double>(value.items[1]);
  const auto is_valid = [](double beta) { return beta >= 0.0 && beta < 1.0; };
  check(is_valid(config.beta1) && is_valid(config.beta2),
        ErrorCode::kConfig,
        "both must be at least 0 and below 1");
}

SectionOf<C> declare(const std::string& target, const std::string& doc, const std::string& weight_decay) {
  SectionOf<C> s("optimizer", doc, target);
  s.accepted("_target_").doc("the optimizer's class").default_text("torch.optim.AdamW");
  s.field("lr", &C::lr).doc("peak learning rate").min(0.0);
  s.field("weight_decay", &C::weight_decay)
      .doc("of all parameters, norms and embeddings too")
      .default_text(weight_decay)
      .min(0.0);
  s.field("master_weights", &C::master_weights)
      .doc("keep fp32 copies of bf16 weights: small updates are not lost");
  s.built_in("foreach", "all parameters are updated in one pass");
  s.built_in("fused", "all parameters are updated in one pass");
  s.built_in("capturable", "concerns CUDA graphs of torch");
  s.accepted("maximize").only({Node::of(false)}, "maximising is not implemented");
  s.accepted("differentiable")
      .only({Node::of(false)}, "differentiating through the optimizer is not implemented");
  s.not_supported("param_group_overrides", "learning rates by parameter name are not implemented yet");
  return s;
}

Section declare_adam(const std::string& target, const std::string& doc, const std::string& weight_decay) {
  SectionOf<C> s = declare(target, doc, weight_decay);
  s.custom("betas", read_betas)
      .type("list of two numbers")
      .default_text("[0.9, 0.999]")
      .doc("decay of the first and the second moment");
  s.field("eps", &C::eps).doc("added to the root of the second moment").min(0.0);
  s.field("bf16_stochastic_round", &C::bf16_stochastic_round)
      .doc(
          "round updated bf16 weights and states up or down at random, so that small updates count on the mean");
  s.accepted("amsgrad").only({Node::of(false)}, "AMSGrad is not implemented");
  s.accepted("decoupled_weight_decay")
      .only({Node::of(target.ends_with("AdamW"))},
            "use torch.optim.AdamW for decoupled and torch.optim.Adam for coupled weight decay");
  return s.take();
}

Section declare_sgd() {
  SectionOf<C> s = declare("torch.optim.SGD", "Stochastic gradient descent.", "0.0");
  s.field("momentum", &C::momentum).doc("of the running gradient").min(0.0);
  s.field("nesterov", &C::nesterov).doc("look ahead along the momentum");
  s.accepted("dampening").only({Node::of(int64_t{0})}, "dampening of the momentum is not implemented");
  return s.take();
}

const Section& adamw() {
  static const Section kSection =
      declare_adam("torch.optim.AdamW", "Adam with decoupled weight decay.", "0.01");
  return kSection;
}

const Section& adam() {
  static const Section kSection =
      declare_adam("torch.optim.Adam", "Adam; weight decay is added to the gradient.", "0.0");
  return kSection;
}

/// Transformer Engine's: float32 states, and float32 copies of the weights on request.
const Section& fused_adam() {
  static const Section kSection = [] {
    SectionOf<C> s = declare(
        "transformer_engine.pytorch.optimizers.FusedAdam",
        "Adam with float32 states beside bf16 weights; needs master_weights: true unless the weights are float32.",
        "0.0");
    s.custom("betas", read_betas)
        .type("list of two numbers")
        .default_text("[0.9, 0.999]")
        .doc("decay of the first and the second moment");
    s.field("eps", &C::eps).doc("added to the root of the second moment").min(0.0);
    s.custom("adam_w_mode",
             [](const Node& value, C& config) {
               config.kind = read_as<bool>(value) ? C::Kind::kAdamW : C::Kind::kAdam;
             })
        .type("true or false")
        .default_text("true")
        .doc("true: decoupled weight decay");
    s.accepted("bias_correction")
        .only({Node::of(true)}, "moments without bias correction are not implemented");
    s.built_in("store_param_remainders", "float32 copies are whole");
    for (const char* name : {"master_weight_dtype", "exp_avg_dtype", "exp_avg_sq_dtype"})
      s.accepted(name)
          .only({Node::of("torch.float32"), Node::of("float32")},
                "other types than float32 are not implemented")
          .default_text("torch.float32");
    return s.take();
  }();
  return kSection;
}

const Section& sgd() {
  static const Section kSection = declare_sgd();
  return kSection;
}

}  // namespace

const Section& optimizer_section(const Node& map, OptimizerConfig& config) {
  const std::string_view kind = find_target(TargetRole::kOptimizer, target_of(map, "torch.optim.AdamW")).kind;
  config = {};
  if (kind == "adamw") return adamw();
  config.weight_decay = 0.0;
  if (kind == "fused_adam") {
    config.lr = 1e-3;
    config.states_in_float32 = true;
    return fused_adam();
  }
  config.kind = kind == "adam" ? C::Kind::kAdam : C::Kind::kSgd;
  return kind == "adam" ? adam() : sgd();
}

std::vector<const Section*> optimizer_sections() {
  return {&adamw(), &adam(), &fused_adam(), &sgd()};
}

}  // namespace automodel::config
