#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace automodel::peft {

/// What adapter_config.json of PEFT says about adapters that are B A on linears.
struct AdapterConfig {
  int64_t rank = 8;
  double scale = 1;        ///< alpha / rank; alpha / sqrt(rank) of rank-stabilised adapters
  std::string base_model;  ///< base_model_name_or_path, empty when unknown
};

/// Throws Error(kFormat) for what is no configuration, Error(kUnsupported) naming the key for one that asks
/// for anything else than B A on linears of the base as it is: another method, trained biases or modules, an
/// initialisation that changes the base (PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA), and every key that is not
/// known here and has a value that is not neutral (null, false, 0, empty).
AdapterConfig read_adapter_config(const nlohmann::json& config, const std::string& file);

/// Throws Error(kFormat), naming the key, when the configuration's target_modules, exclude_modules or
/// layers_to_transform leave out a module that the folder has matrices of: PEFT would not load them.
void check_is_target(const nlohmann::json& config, const std::string& module, const std::string& file);

}  // namespace automodel::peft
