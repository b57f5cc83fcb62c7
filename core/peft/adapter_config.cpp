#include "core/peft/adapter_config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <regex>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/log.h"

namespace automodel::peft {
namespace {

using Json = nlohmann::json;

/// Keys that are read here, and those that change nothing of a trained adapter: they say how it was trained
/// or drawn, or belong to another key that is checked.
constexpr std::string_view kKnownKeys[] = {"auto_mapping",
                                           "base_model_name_or_path",
                                           "bias",
                                           "corda_config",
                                           "eva_config",
                                           "exclude_modules",
                                           "inference_mode",
                                           "init_lora_weights",
                                           "layers_pattern",
                                           "layers_to_transform",
                                           "loftq_config",
                                           "lora_alpha",
                                           "lora_dropout",
                                           "lora_ga_config",
                                           "megatron_core",
                                           "peft_type",
                                           "peft_version",
                                           "qalora_group_size",
                                           "r",
                                           "revision",
                                           "runtime_config",
                                           "target_modules",
                                           "task_type",
                                           "use_rslora"};

bool is_neutral(const Json& value) {
  if (value.is_null() || value == false) return true;
  if (value.is_number()) return value.get<double>() == 0;
  if (value.is_string()) return value.get<std::string>().empty();
  return (value.is_array() || value.is_object()) && value.empty();
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

[[noreturn]] void refuse(const std::string& file, const std::string& key, const Json& value) {
  fail(ErrorCode::kUnsupported,
       file,
       ": \"",
       key,
       "\": ",
       value.dump(),
       " is not implemented; LoRA on linear layers is");
}

/// How A and B were drawn matters only where the base was changed for it: PEFT changes the base in the same
/// way each time it loads such an adapter. The others begin with B A = 0 on the base as it is.
void check_initialisation(const Json& config, const std::string& file) {
  constexpr const char* kKey = "init_lora_weights";
  const Json value = config.value(kKey, Json());
  if (value.is_null() || value.is_boolean()) return;
  constexpr std::array kOfAnUnchangedBase = {"gaussian", "eva", "orthogonal", "mica"};
  const std::string name = value.is_string() ? lower_case(value.get<std::string>()) : "";
  const bool unchanged =
      std::find(kOfAnUnchangedBase.begin(), kOfAnUnchangedBase.end(), name) != kOfAnUnchangedBase.end();
  check(
      unchanged,
      ErrorCode::kUnsupported,
      file,
      ": \"",
      kKey,
      "\": ",
      value.dump(),
      " belongs to a base that was changed before the training, which is not implemented; save the adapter for the unchanged base: in PEFT, save_pretrained(..., path_initial_model_for_weight_conversion=...)");
}

bool is_name_or_its_end(std::string_view module, const std::string& name) {
  return module == name || module.ends_with("." + name);
}

/// Of a whole name, as PEFT reads text. Python's own kinds of groups are not read here.
bool matches(const std::string& pattern,
             const std::string& module,
             const std::string& file,
             const char* key) {
  try {
    return std::regex_match(module, std::regex(pattern));
  } catch (const std::regex_error& error) {
    log::warning(file,
                 ": \"",
                 key,
                 "\": the regular expression cannot be read here (",
                 error.what(),
                 "); every matrix of the folder is taken");
    return std::string_view(key) == "target_modules";
  }
}

bool names(const Json& value, const std::string& module, const std::string& file, const char* key) {
  if (value.is_string()) return matches(value.get<std::string>(), module, file, key);
  return value.is_array() && std::any_of(value.begin(), value.end(), [&](const Json& name) {
           return name.is_string() && is_name_or_its_end(module, name.get<std::string>());
         });
}

/// The number of the layer that a module is in, by PEFT's patterns.
std::optional<int64_t> layer_of(const Json& patterns, const std::string& module) {
  std::vector<std::string> expressions;
  if (patterns.is_string() && patterns != "") expressions.push_back(patterns.get<std::string>());
  if (patterns.is_array())
    for (const Json& pattern : patterns) expressions.push_back(pattern.get<std::string>());
  for (std::string& pattern : expressions) pattern = "^(?:.*?\\.)?" + pattern + "\\.(\\d+)\\.";
  if (expressions.empty()) expressions.push_back("^.*?\\.[^.]*\\.(\\d+)\\.");
  std::smatch found;
  for (const std::string& expression : expressions) {
    if (std::regex_search(module, found, std::regex(expression))) return std::stoll(found[1].str());
  }
  return std::nullopt;
}

bool in_chosen_layers(const Json& config, const std::string& module) {
  const Json layers = config.value("layers_to_transform", Json());
  if (layers.is_null() || (layers.is_array() && layers.empty())) return true;
  const std::optional<int64_t> layer = layer_of(config.value("layers_pattern", Json()), module);
  if (!layer) return false;
  return layers.is_array() ? std::find(layers.begin(), layers.end(), *layer) != layers.end()
                           : layers == *layer;
}

}  // namespace

AdapterConfig read_adapter_config(const Json& config, const std::string& file) {
  check(config.is_object(), ErrorCode::kFormat, file, ": expected an object");
  check(config.contains("peft_type"), ErrorCode::kFormat, file, ": \"peft_type\" is missing");
  if (config["peft_type"] != "LORA") refuse(file, "peft_type", config["peft_type"]);
  const Json bias = config.value("bias", Json());
  if (!is_neutral(bias) && bias != "none") refuse(file, "bias", bias);
  check_initialisation(config, file);
  for (const auto& [key, value] : config.items()) {
    const bool known = std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key) != std::end(kKnownKeys);
    if (!known && !is_neutral(value)) refuse(file, key, value);
  }
  for (const char* key : {"r", "lora_alpha"}) {
    const bool is_number = config.contains(key) && config[key].is_number() && config[key].get<double>() > 0;
    check(is_number, ErrorCode::kFormat, file, ": \"", key, "\": expected a number above 0");
  }
  AdapterConfig read;
  read.rank = config["r"].get<int64_t>();
  const auto rank = static_cast<double>(read.rank);
  const bool stabilised = !is_neutral(config.value("use_rslora", Json()));  // Kalajdzievski 2023
  read.scale = config["lora_alpha"].get<double>() / (stabilised ? std::sqrt(rank) : rank);
  const Json base_model = config.value("base_model_name_or_path", Json());
  if (base_model.is_string()) read.base_model = base_model.get<std::string>();
  return read;
}

void check_is_target(const Json& config, const std::string& module, const std::string& file) {
  const auto left_out = [&](const char* key) {
    fail(ErrorCode::kFormat,
         file,
         ": \"",
         key,
         "\" leaves out ",
         module,
         ", which the folder has matrices of; make the two agree: PEFT would pass over them");
  };
  const Json excluded = config.value("exclude_modules", Json());
  if (!is_neutral(excluded) && names(excluded, module, file, "exclude_modules")) left_out("exclude_modules");
  const Json targets = config.value("target_modules", Json());
  if (is_neutral(targets)) return;
  if (targets.is_string() && lower_case(targets.get<std::string>()) == "all-linear") return;
  if (!names(targets, module, file, "target_modules")) left_out("target_modules");
  const bool in_full =
      targets.is_array() && std::find(targets.begin(), targets.end(), module) != targets.end();
  if (targets.is_array() && !in_full && !in_chosen_layers(config, module)) left_out("layers_to_transform");
}

}  // namespace automodel::peft
