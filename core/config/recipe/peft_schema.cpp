#include <algorithm>
#include <cctype>

#include "core/base/dtype.h"
#include "core/base/error.h"
#include "core/config/recipe/sections.h"
#include "core/config/recipe/target_table.h"

namespace automodel::config {
namespace {

using C = PeftConfig;

/// Names of modules: letters, digits, "_", "-", "." and '*'. The reference compiles them as regular
/// expressions; other signs of those are refused, so that none is taken for itself.
std::vector<std::string> read_names(const Node& value) {
  const auto names = read_as<std::vector<std::string>>(value);
  for (const std::string& name : names) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '*';
    });
    check(plain, ErrorCode::kConfig, "expected names of modules, with '*' for any text, not \"", name, "\"");
  }
  return names;
}

bool is_text(const Node& value) {
  return !value.is_list() && !value.is_null();
}

void declare_modules(SectionOf<C>& s) {
  s.custom("target_modules",
           [](const Node& value, C& config) {
             config.target_modules = read_names(value);
             config.target_is_text = is_text(value);
           })
      .type("list of texts")
      .default_text("[\"*_proj\"]")
      .null_is_unset()
      .doc("linears that get an adapter, by their full names with '*' for any text");
  s.custom("exclude_modules",
           [](const Node& value, C& config) {
             config.exclude_modules = read_names(value);
             config.exclude_is_text = is_text(value);
           })
      .type("list of texts")
      .default_text("[]")
      .null_is_unset()
      .doc("instead of target_modules: every linear but these, lm_head included");
  s.field("match_all_linear", &C::match_all_linear)
      .doc("every linear, lm_head included; instead of target_modules and exclude_modules");
}

Section declare() {
  SectionOf<C> s("peft",
                 "Low-rank adapters (LoRA) on linears; everything else is frozen.",
                 "nemo_automodel.components._peft.lora.PeftConfig");
  s.custom("_target_",
           [](const Node& value, C&) { find_target(TargetRole::kPeft, read_as<std::string>(value)); })
      .doc("the method's class")
      .type("text");
  declare_modules(s);
  s.field("dim", &C::dim).doc("rank of the adapters").min(1);
  s.field("alpha", &C::alpha).doc("the update is scaled by alpha / dim").min(1);
  s.field("dropout", &C::dropout).doc("probability, in training only").min(0.0).max(0.999);
  s.field("dropout_position", &C::dropout_position)
      .choices({"post", "pre"})
      .doc("of the adapter's output, or of its input");
  s.field("lora_A_init", &C::lora_a_init)
      .choices({"xavier", "uniform"})
      .doc("how A is drawn: normal by Xavier, or uniform by Kaiming; B is zero");
  s.custom("lora_dtype",
           [](const Node& value, C& config) {
             config.lora_dtype = std::string(torch_name(dtype_from_torch(read_as<std::string>(value))));
           })
      .type("type name")
      .null_is_unset()
      .doc("type in which adapters are kept; unset: that of the frozen weights");
  s.accepted("use_dora").only({Node::of(false)}, "DoRA is not implemented yet");
  // Read all the same: automodel_peft_config.json repeats them.
  s.field("use_triton", &C::use_triton)
      .without_effect(KeyStatus::kBuiltIn)
      .doc("kernels are chosen by the program");
  s.field("use_memory_efficient_lora", &C::use_memory_efficient_lora)
      .without_effect(KeyStatus::kBuiltIn)
      .doc("low-rank activations are never kept");
  s.field("moe_rank_scaling", &C::moe_rank_scaling)
      .without_effect(KeyStatus::kInert)
      .doc("of adapters of experts, which are not made");
  return s.take();
}

}  // namespace

const Section& peft_section() {
  static const Section kSection = declare();
  return kSection;
}

}  // namespace automodel::config
