#include "core/recipes/model_setup.h"

#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/models/family.h"
#include "core/ops/cuda.h"
#include "core/tensor/dtype.h"

namespace automodel::recipes {
namespace {

/// The text of a config.json and the name it has in messages.
struct ConfigText {
  std::string json;
  std::string origin;
  std::filesystem::path folder;
};

ConfigText find_config(const config::ModelConfig& model) {
  if (!model.inline_config.empty()) return {model.inline_config, "model.config", {}};
  const std::filesystem::path place = models::find_model(model.path);
  const bool is_folder = std::filesystem::is_directory(place);
  const std::filesystem::path file = is_folder ? place / "config.json" : place;
  return {read_file(file), file.string(), is_folder ? place : place.parent_path()};
}

/// `base` with the top-level fields of `overrides` in place of its own, whole, as transformers does.
std::string apply_overrides(const std::string& base, const std::string& overrides) {
  if (overrides.empty()) return base;
  auto replaced = nlohmann::ordered_json::parse(base);
  const auto fields = nlohmann::ordered_json::parse(overrides);
  for (const auto& [name, value] : fields.items()) replaced[name] = value;
  return replaced.dump(2);
}

DType stored_dtype(const config::Recipe& recipe, const models::DecoderConfig& config) {
  if (recipe.model.torch_dtype != "auto") return dtype_from_torch(recipe.model.torch_dtype);
  if (recipe.model.source == config::ModelSource::kConfig) return DType::kBFloat16;
  return config.stored_dtype.value_or(DType::kFloat32);
}

}  // namespace

LoadedModel load_model(const config::Recipe& recipe) {
  const ConfigText text = find_config(recipe.model);
  const models::DecoderConfig config = models::read_decoder_config(
      text.json, text.origin, recipe.model.config_overrides, recipe.model.family_file);
  LoadedModel loaded;
  loaded.weights_dtype = stored_dtype(recipe, config);
  loaded.folder = text.folder;
  loaded.config_json = apply_overrides(text.json, recipe.model.config_overrides);

  tensor::Unit::Options options;
  options.home_dtype = recipe.optimizer.master_weights ? at::kFloat : tensor::to_torch(loaded.weights_dtype);
  options.compute_dtype = tensor::to_torch(recipe.distributed.param_dtype.empty()
                                               ? loaded.weights_dtype
                                               : dtype_from_torch(recipe.distributed.param_dtype));
  options.device = ops::find_device(recipe.device);
  loaded.decoder = models::build_decoder(config, options);
  if (recipe.model.source == config::ModelSource::kPretrained) {
    models::load_weights(loaded.decoder, io::open_weights(text.folder));
  } else {
    models::init_weights(loaded.decoder, static_cast<uint64_t>(recipe.seed));
  }
  return loaded;
}

}  // namespace automodel::recipes
