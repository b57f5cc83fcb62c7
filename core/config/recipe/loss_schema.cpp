#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using C = LossConfig;

SectionOf<C> declare(const std::string& target, const std::string& doc) {
  SectionOf<C> s("loss_fn", doc, "nemo_automodel.components.loss." + target);
  s.accepted("_target_")
      .doc("the loss's class")
      .default_text("nemo_automodel.components.loss.masked_ce.MaskedCrossEntropy");
  s.field("ignore_index", &C::ignore_index).doc("the label of tokens that are not to be learnt");
  s.accepted("reduction")
      .only({Node::of("sum")}, "the loss is the sum over label tokens divided by their number");
  return s;
}

const Section& masked() {
  static const Section kSection = [] {
    SectionOf<C> s = declare("masked_ce.MaskedCrossEntropy", "Cross entropy of the logits.");
    s.built_in("fp32_upcast", "the loss is computed in fp32");
    return s.take();
  }();
  return kSection;
}

const Section& linear() {
  static const Section kSection = [] {
    SectionOf<C> s =
        declare("linear_ce.FusedLinearCrossEntropy", "Cross entropy that never holds all logits.");
    s.accepted("logit_softcapping").only({Node::of(int64_t{0})}, "capping of logits is not implemented yet");
    return s.take();
  }();
  return kSection;
}

const Section& chunked() {
  static const Section kSection = [] {
    SectionOf<C> s = declare("chunked_ce.ChunkedCrossEntropy", "Cross entropy by chunks of tokens.");
    s.field("chunk_len", &C::chunk_len)
        .doc("tokens of one chunk; null: chosen by memory")
        .unit("tokens")
        .min(1);
    s.built_in("compile", "the loss is one fused kernel");
    return s.take();
  }();
  return kSection;
}

const Section& vocabulary_parallel() {
  static const Section kSection = [] {
    SectionOf<C> s =
        declare("te_parallel_ce.TEParallelCrossEntropy",
                "Cross entropy over a vocabulary split between ranks; on one rank MaskedCrossEntropy.");
    s.not_supported("tp_group", "tensor parallelism is not implemented yet");
    return s.take();
  }();
  return kSection;
}

}  // namespace

const Section& loss_section(const Node& map, LossConfig& config) {
  const std::string otherwise = "nemo_automodel.components.loss.masked_ce.MaskedCrossEntropy";
  const std::string_view kind = find_target(TargetRole::kLoss, target_of(map, otherwise)).kind;
  config = {};
  if (kind == "linear_ce") {
    config.kind = C::Kind::kFusedLinearCrossEntropy;
    return linear();
  }
  if (kind == "chunked_ce") {
    config.kind = C::Kind::kChunkedCrossEntropy;
    return chunked();
  }
  return kind == "te_parallel_ce" ? vocabulary_parallel() : masked();
}

std::vector<const Section*> loss_sections() {
  return {&masked(), &linear(), &chunked(), &vocabulary_parallel()};
}

}  // namespace automodel::config
