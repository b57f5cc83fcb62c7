#include "core/peft/adapter_spec.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/peft/module_match.h"
#include "core/weights/parameters.h"

namespace automodel::peft {
namespace {

constexpr std::string_view kWeight = ".weight";

/// What a recipe may call the experts: their names in files and in transformers, without ".weight".
std::vector<std::string> expert_modules(const arch::DecoderConfig& config) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    names.push_back(name.ends_with(kWeight) ? name.substr(0, name.size() - kWeight.size()) : name);
  };
  for (const weights::SegmentWeights& segment : weights::model_weights(config)) {
    for (const weights::ParameterSpec& weight : segment.weights) {
      if (weight.kind != weights::ParameterSpec::Kind::kExperts) continue;
      add(weight.name);
      for (const weights::FileTensor& file : weight.files) add(file.name);
    }
  }
  return names;
}

/// Experts are matrices stacked in one parameter: they get no adapter, as in PEFT unless it is told their
/// parameters. A target that stands for nothing else is an error.
void refuse_experts(const config::PeftConfig& peft,
                    const std::vector<std::string>& experts,
                    const std::vector<std::string>& linears) {
  for (const std::string& target : peft.target_modules) {
    const auto named = [&](const std::string& module) {
      return target == module || matches_module(target, module);
    };
    const auto expert = std::ranges::find_if(experts, named);
    check(expert == experts.end() || std::ranges::any_of(linears, named),
          ErrorCode::kUnsupported,
          "peft.target_modules: \"",
          target,
          "\" stands for experts (",
          expert == experts.end() ? "" : *expert,
          "), which can have no adapters; name attention or shared experts, or train all weights");
  }
  if (!experts.empty()) log::info("LoRA: experts and routers have no adapters, they stay as they are");
}

}  // namespace

int64_t AdapterSpec::num_parameters() const {
  int64_t total = 0;
  for (const LinearShape& linear : linears) total += rank * (linear.in + linear.out);
  return total;
}

bool same_adapters(const AdapterSpec& a, const AdapterSpec& b) {
  const auto modules = [](const AdapterSpec& spec) {
    std::set<std::string> names;
    for (const LinearShape& linear : spec.linears) names.insert(linear.module);
    return names;
  };
  return a.rank == b.rank && a.scale == b.scale && modules(a) == modules(b);
}

std::string lora_a_name(const std::string& module) {
  return module + ".lora_A.weight";
}

std::string lora_b_name(const std::string& module) {
  return module + ".lora_B.weight";
}

std::vector<LinearShape> linears_of(const arch::DecoderConfig& config) {
  std::vector<LinearShape> linears;
  for (const weights::SegmentWeights& segment : weights::model_weights(config)) {
    for (const weights::ParameterSpec& weight : segment.weights) {
      // PEFT sees routers as parameters, not as linears.
      if (weight.kind != weights::ParameterSpec::Kind::kLinear || weight.role == "moe.router.weight")
        continue;
      const std::string module = weight.name.substr(0, weight.name.size() - kWeight.size());
      const bool rearranged = !weight.files.front().blocks.empty();
      linears.push_back({module, segment.segment, weight.shape[1], weight.shape[0], rearranged});
    }
  }
  if (config.head.tied)
    linears.push_back(
        {config.names.modules.at("head").module, "head", config.hidden_size, config.vocab_size});
  return linears;
}

void check_adaptable(const LinearShape& linear) {
  check(
      !linear.rearranged,
      ErrorCode::kUnsupported,
      "LoRA: the files of this family hold ",
      linear.module,
      " transposed or by group, and adapters of such a weight are not implemented; name other peft.target_modules");
}

AdapterSpec adapter_spec(const config::PeftConfig& peft, const arch::DecoderConfig& config) {
  AdapterSpec spec;
  spec.rank = peft.dim;
  spec.scale = static_cast<double>(peft.alpha) / static_cast<double>(peft.dim);
  spec.dropout = peft.dropout;
  spec.dropout_first = peft.dropout_position == "pre";
  const std::vector<LinearShape> linears = linears_of(config);
  std::vector<std::string> names;
  for (const LinearShape& linear : linears) names.push_back(linear.module);
  refuse_experts(peft, expert_modules(config), names);
  const std::vector<std::string> selected = select_modules(peft, names);
  for (const LinearShape& linear : linears) {
    if (std::find(selected.begin(), selected.end(), linear.module) == selected.end()) continue;
    check_adaptable(linear);
    spec.linears.push_back(linear);
  }
  return spec;
}

}  // namespace automodel::peft
