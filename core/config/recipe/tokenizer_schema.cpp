#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

Section declare() {
  using C = TokenizerConfig;
  SectionOf<C> s("tokenizer", "A tokenizer other than the model's own. Also as dataset.tokenizer.");
  s.custom("_target_",
           [](const Node& value, C&) { find_target(TargetRole::kTokenizer, read_as<std::string>(value)); })
      .doc("the tokenizer's class")
      .type("text");
  s.field("pretrained_model_name_or_path", &C::path).doc("folder, tokenizer.json or Hub id");
  s.field("add_bos_token", &C::add_bos_token)
      .doc("put the begin token before a text; null: as the tokenizer's files say");
  s.field("add_eos_token", &C::add_eos_token)
      .doc("put the end token after a text; null: as the tokenizer's files say");
  s.built_in("trust_remote_code", "no Python code is run");
  s.built_in("use_fast", "tokenizer.json is read");
  s.accepted("padding_side").only({Node::of("right")}, "padding on the left is not implemented yet");
  s.accepted("truncation_side").only({Node::of("right")}, "truncation on the left is not implemented yet");
  return s.take();
}

}  // namespace

const Section& tokenizer_section() {
  static const Section kSection = declare();
  return kSection;
}

}  // namespace automodel::config
