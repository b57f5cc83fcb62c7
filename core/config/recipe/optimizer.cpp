#include "core/config/recipe/optimizer.h"

#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using C = OptimizerConfig;
using Kind = C::Kind;

/// An optimizer that runs.
struct Row {
  std::vector<std::string> targets;  ///< the first of them heads its options in the reference
  std::string doc;
  C defaults;  ///< what a section means that says the `_target_` alone
  void (*declare)(SectionOf<C>& s, const C& defaults);
  Section section = {};  ///< made of the above
};

/// An optimizer that is known and does not run yet.
struct MissingRow {
  std::string missing;  ///< the sentence that a user reads
  std::vector<std::string> targets;
};

// --- options ---------------------------------------------------------------------------------------------

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

OptionBuilder declare_betas(SectionOf<C>& s, const C& defaults) {
  return s.custom("betas", read_betas)
      .type("list of two numbers")
      .default_text("[" + text_of(defaults.beta1) + ", " + text_of(defaults.beta2) + "]");
}

/// Of every optimizer.
void declare_common(SectionOf<C>& s, const C& defaults) {
  s.accepted("_target_").doc("the optimizer's class").default_text("torch.optim.AdamW");
  s.field("lr", &C::lr).doc("peak learning rate").default_text(text_of(defaults.lr)).min(0.0);
  s.field("weight_decay", &C::weight_decay)
      .doc("of all parameters, norms and embeddings too")
      .default_text(text_of(defaults.weight_decay))
      .min(0.0);
  s.field("master_weights", &C::master_weights)
      .doc("keep fp32 copies of bf16 weights: small updates are not lost");
  s.not_supported("param_group_overrides", "learning rates by parameter name are not implemented yet");
}

/// Of torch's optimizers.
void declare_of_torch(SectionOf<C>& s) {
  s.built_in("foreach", "all parameters are updated in one pass");
  s.built_in("fused", "all parameters are updated in one pass");
  s.built_in("capturable", "concerns CUDA graphs of torch");
  s.accepted("maximize").only({Node::of(false)}, "maximising is not implemented");
  s.accepted("differentiable")
      .only({Node::of(false)}, "differentiating through the optimizer is not implemented");
}

void declare_moments(SectionOf<C>& s, const C& defaults) {
  declare_betas(s, defaults).doc("decay of the first and the second moment");
  s.field("eps", &C::eps).doc("added to the root of the second moment").min(0.0);
}

void declare_adam(SectionOf<C>& s, const C& defaults) {
  declare_of_torch(s);
  declare_moments(s, defaults);
  s.field("bf16_stochastic_round", &C::bf16_stochastic_round)
      .doc(
          "round updated bf16 weights and states up or down at random, so that small updates count on the mean");
  s.accepted("amsgrad").only({Node::of(false)}, "AMSGrad is not implemented");
  s.accepted("decoupled_weight_decay")
      .only({Node::of(defaults.kind == Kind::kAdamW)},
            "use torch.optim.AdamW for decoupled and torch.optim.Adam for coupled weight decay");
}

void declare_fused_adam(SectionOf<C>& s, const C& defaults) {
  declare_of_torch(s);
  declare_moments(s, defaults);
  s.custom(
       "adam_w_mode",
       [](const Node& value, C& config) { config.kind = read_as<bool>(value) ? Kind::kAdamW : Kind::kAdam; })
      .type("true or false")
      .default_text("true")
      .doc("true: decoupled weight decay");
  s.accepted("bias_correction").only({Node::of(true)}, "moments without bias correction are not implemented");
  s.built_in("store_param_remainders", "float32 copies are whole");
  for (const char* name : {"master_weight_dtype", "exp_avg_dtype", "exp_avg_sq_dtype"})
    s.accepted(name)
        .only({Node::of("torch.float32"), Node::of("float32")},
              "other types than float32 are not implemented")
        .default_text("torch.float32");
}

void declare_sgd(SectionOf<C>& s, const C&) {
  declare_of_torch(s);
  s.field("momentum", &C::momentum).doc("of the running gradient").min(0.0);
  s.field("nesterov", &C::nesterov).doc("look ahead along the momentum");
  s.accepted("dampening").only({Node::of(int64_t{0})}, "dampening of the momentum is not implemented");
}

void declare_lion(SectionOf<C>& s, const C& defaults) {
  declare_betas(s, defaults).doc("decay of the update's direction and of the running gradient");
  s.accepted("use_triton").only({Node::of(false)}, "updates have a kernel of their own here; leave it out");
  s.accepted("decoupled_weight_decay")
      .only({Node::of(false)}, "weight decay that does not follow the learning rate is not implemented");
  s.accepted("cautious_factor").only({Node::of(1.0)}, "cautious updates are not implemented");
}

// --- rows ------------------------------------------------------------------------------------------------

/// In the order of the reference. Names in modules, and the reference's short ones.
std::vector<Row> list_rows() {
  return {
      {{"torch.optim.AdamW", "torch.optim.adamw.AdamW", "adamw"},
       "Adam with decoupled weight decay.",
       {.kind = Kind::kAdamW},
       declare_adam},
      {{"torch.optim.Adam", "torch.optim.adam.Adam", "adam"},
       "Adam; weight decay is added to the gradient.",
       {.kind = Kind::kAdam, .weight_decay = 0},
       declare_adam},
      {{"transformer_engine.pytorch.optimizers.FusedAdam",
        "transformer_engine.pytorch.optimizers.fused_adam.FusedAdam",
        "fused_adam"},
       "Adam with float32 states beside bf16 weights; needs master_weights: true unless the weights are float32.",
       {.kind = Kind::kAdamW, .lr = 1e-3, .weight_decay = 0, .states_in_float32 = true},
       declare_fused_adam},
      {{"torch.optim.SGD", "torch.optim.sgd.SGD"},
       "Stochastic gradient descent.",
       {.kind = Kind::kSgd, .weight_decay = 0},
       declare_sgd},
      {{"lion_pytorch.Lion", "lion_pytorch.lion_pytorch.Lion", "lion"},
       "Lion: the sign of a running gradient, one state in place of two.",
       {.kind = Kind::kLion, .weight_decay = 0, .beta2 = 0.99},
       declare_lion},
  };
}

std::vector<MissingRow> list_missing() {
  return {
      {"FlashAdamW is not implemented yet; torch.optim.AdamW is", {"flashoptim.FlashAdamW", "flash_adamw"}},
      {"Muon and Dion optimizers are not implemented yet; torch.optim.AdamW is",
       {"dion.Muon", "dion.NorMuon", "dion.Dion", "dion.Dion2", "muon", "normuon", "dion", "dion2"}},
  };
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = [] {
    std::vector<Row> rows = list_rows();
    for (Row& row : rows) {
      SectionOf<C> s("optimizer", row.doc, row.targets.front());
      declare_common(s, row.defaults);
      row.declare(s, row.defaults);
      row.section = s.take();
    }
    return rows;
  }();
  return kRows;
}

const std::vector<MissingRow>& missing_rows() {
  static const std::vector<MissingRow> kRows = list_missing();
  return kRows;
}

}  // namespace

const Section& optimizer_section(const Node& map, OptimizerConfig& config) {
  const std::string name = target_of(map, rows().front().targets.front());
  const std::string_view kind = find_target(TargetRole::kOptimizer, name).kind;
  for (const Row& row : rows()) {
    if (row.targets.front() != kind) continue;
    config = row.defaults;
    return row.section;
  }
  fail(ErrorCode::kInternal, "no row for optimizer ", kind);
}

std::vector<const Section*> optimizer_sections() {
  std::vector<const Section*> sections;
  for (const Row& row : rows()) sections.push_back(&row.section);
  return sections;
}

std::vector<Target> optimizer_targets() {
  std::vector<Target> targets;
  for (const Row& row : rows()) {
    for (const std::string& name : row.targets)
      targets.push_back({name, TargetRole::kOptimizer, row.targets.front(), /*missing=*/""});
  }
  for (const MissingRow& row : missing_rows()) {
    for (const std::string& name : row.targets)
      targets.push_back({name, TargetRole::kOptimizer, /*kind=*/"", row.missing});
  }
  return targets;
}

}  // namespace automodel::config
