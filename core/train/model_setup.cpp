#include "core/train/model_setup.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/families/family.h"
#include "core/families/stored_type.h"
#include "core/io/json.h"
#include "core/ops/cuda/cuda.h"
#include "core/optim/algorithm.h"
#include "core/peft/adapters.h"
#include "core/tensor/dtype.h"

namespace automodel::train {
namespace {

/// The text of a config.json and the name it has in messages.
struct ConfigText {
  std::string json;
  std::string origin;
  std::filesystem::path folder;
};

ConfigText find_config(const config::ModelConfig& model) {
  const bool pretrained = model.source == config::ModelSource::kPretrained;
  const bool written = !model.inline_config.empty();
  if (written && !pretrained) return {model.inline_config, "model.config", {}};
  const std::filesystem::path place = families::find_model(model.path);
  const bool is_folder = std::filesystem::is_directory(place);
  const std::filesystem::path folder = is_folder ? place : place.parent_path();
  if (written) return {model.inline_config, "model.config", folder};
  const std::filesystem::path named =
      model.config_path.empty() ? place : families::find_model(model.config_path);
  const std::filesystem::path file = std::filesystem::is_directory(named) ? named / "config.json" : named;
  return {io::with_tagged_infinities(read_file(file)), file.string(), folder};
}

/// `base` with the top-level fields of `overrides` in place of its own, whole, as transformers does.
std::string apply_overrides(const std::string& base, const std::string& overrides) {
  if (overrides.empty()) return base;
  auto replaced = nlohmann::ordered_json::parse(base);
  const auto fields = nlohmann::ordered_json::parse(overrides);
  for (const auto& [name, value] : fields.items()) replaced[name] = value;
  return replaced.dump(2);
}

DType stored_dtype(const config::Recipe& recipe, const arch::DecoderConfig& config) {
  if (recipe.model.torch_dtype != "auto") return dtype_from_torch(recipe.model.torch_dtype);
  if (recipe.model.source == config::ModelSource::kConfig) return DType::kBFloat16;
  return config.stored_dtype.value_or(DType::kFloat32);
}

/// Adapters are drawn before the model is cast to the computation's type.
DType drawn_dtype(const config::Recipe& recipe, const arch::DecoderConfig& config) {
  const std::string& asked = recipe.peft->lora_dtype;
  return asked.empty() ? stored_dtype(recipe, config) : dtype_from_torch(asked);
}

/// Types of a run: what is stored, and in which options units are made.
struct Precision {
  DType stored;
  tensor::FlatParameter::Options base, adapters;
};

/// A debugging aid, see docs/debugging.md: weights are released after every use and read NaN until they are
/// gathered again, so that an op which keeps a view of them cannot pass unnoticed.
tensor::Placement placement_of_weights() {
  const char* asked = std::getenv("AUTOMODEL_RELEASE_WEIGHTS");
  return asked && std::string_view(asked) == "1" ? tensor::Placement::kTransient
                                                 : tensor::Placement::kResident;
}

Precision precision_of(const config::Recipe& recipe, const arch::DecoderConfig& config, bool with_adapters) {
  Precision precision;
  precision.stored = stored_dtype(recipe, config);
  DType compute = precision.stored;
  if (!recipe.distributed.param_dtype.empty()) {
    compute = dtype_from_torch(recipe.distributed.param_dtype);
  } else if (recipe.peft && recipe.distributed.strategy == "fsdp2") {
    compute = DType::kBFloat16;
    if (size_of(precision.stored) > size_of(compute))
      log::warning("peft: base and adapters are computed and stored in bfloat16, not in ",
                   torch_name(precision.stored),
                   recipe.model.torch_dtype == "auto" ? " as the weights are" : " as model.torch_dtype says",
                   " (so does the reference); for float32 set distributed.mp_policy.param_dtype: float32");
  }
  if (with_adapters && size_of(compute) < size_of(precision.stored)) precision.stored = compute;
  if (recipe.peft && !recipe.peft->lora_dtype.empty())
    precision.stored = dtype_from_torch(recipe.peft->lora_dtype);
  precision.adapters.main_dtype =
      recipe.optimizer.master_weights ? at::kFloat : tensor::to_torch(precision.stored);
  precision.adapters.compute_dtype = tensor::to_torch(compute);
  precision.adapters.device = ops::find_device(recipe.device);
  precision.adapters.placement = placement_of_weights();
  precision.adapters.poison_released = true;
  precision.base = precision.adapters;
  if (with_adapters) {
    precision.base.main_dtype = precision.base.compute_dtype;
    precision.base.trainable = false;
  }
  return precision;
}

/// For benchmarks: the same load on all experts, whatever the weights.
void balance_gates(arch::DecoderConfig& config) {
  log::warning(
      "model.backend.fake_balanced_gate: experts take tokens in turn; routers are not read and do not learn");
  for (arch::LayerConfig& layer : config.layers) {
    layer.moe.balanced_gate = true;
    layer.moe.aux_loss_coef = 0.0;
    layer.moe.bias_update_rate = 0.0;
  }
}

/// The model's config.json as the recipe wants it read, with the type of the weights where it says none.
arch::DecoderConfig read_config(const config::Recipe& recipe,
                                const ConfigText& text,
                                const arch::TaskRequest& request) {
  families::KeyRules rules;
  rules.strict = !recipe.model.inline_config.empty();
  rules.ignored = recipe.model.ignore_config_keys;
  arch::DecoderConfig config = families::read_decoder_config(
      text.json, text.origin, recipe.model.config_overrides, recipe.model.family_file, request, rules);
  const bool pretrained = recipe.model.source == config::ModelSource::kPretrained;
  if (pretrained && recipe.model.torch_dtype == "auto" && !config.stored_dtype)
    config.stored_dtype = families::type_of_weights(text.folder, io::open_weights(text.folder));
  return config;
}

/// The model of a recipe without values. `choose` gives its adapters, or none.
LoadedModel build_model(
    const config::Recipe& recipe,
    const arch::TaskRequest& request,
    const std::function<std::optional<peft::AdapterSpec>(const arch::DecoderConfig&)>& choose) {
  const ConfigText text = find_config(recipe.model);
  arch::DecoderConfig config = read_config(recipe, text, request);
  if (recipe.model.balanced_gate) balance_gates(config);
  LoadedModel loaded;
  loaded.adapters = choose(config);
  const Precision precision = precision_of(recipe, config, loaded.adapters.has_value());
  loaded.weights_dtype = precision.stored;
  loaded.folder = text.folder;
  loaded.config_json = apply_overrides(text.json, recipe.model.config_overrides);
  if (loaded.adapters) {
    auto units = peft::make_units(*loaded.adapters, precision.adapters);
    loaded.decoder =
        models::build_decoder(config, precision.base, peft::lora_source(*loaded.adapters, units));
    loaded.decoder.adapter_units = std::move(units);
  } else {
    loaded.decoder = models::build_decoder(config, precision.base);
  }
  return loaded;
}

LoadedModel fill(LoadedModel loaded, const config::Recipe& recipe) {
  const bool pretrained = recipe.model.source == config::ModelSource::kPretrained;
  const auto seed = static_cast<uint64_t>(recipe.seed);
  if (pretrained) models::load_weights(loaded.decoder, io::open_weights(loaded.folder));
  if (loaded.adapters) {
    peft::init_adapters(loaded.decoder,
                        *loaded.adapters,
                        recipe.peft->lora_a_init == "xavier",
                        seed,
                        !pretrained,
                        drawn_dtype(recipe, loaded.decoder.config));
  } else if (!pretrained) {
    models::init_weights(loaded.decoder, seed);
  }
  return loaded;
}

}  // namespace

checkpoint::RunKind kind_of_run(const config::Recipe& recipe) {
  const ConfigText text = find_config(recipe.model);
  checkpoint::RunKind kind;
  kind.config_json = apply_overrides(text.json, recipe.model.config_overrides);
  if (!recipe.peft) return kind;
  kind.adapters = peft::adapter_spec(
      *recipe.peft,
      families::read_decoder_config(
          text.json, text.origin, recipe.model.config_overrides, recipe.model.family_file, {}));
  return kind;
}

LoadedModel load_model(const config::Recipe& recipe) {
  const auto choose = [&](const arch::DecoderConfig& config) {
    check(
        config.task == arch::Task::kNextToken,
        ErrorCode::kUnsupported,
        config.architecture,
        ": training and generation are implemented for models that predict the next token; `automodel model forward` computes this one");
    return recipe.peft ? std::optional(peft::adapter_spec(*recipe.peft, config)) : std::nullopt;
  };
  return fill(build_model(recipe, {}, choose), recipe);
}

LoadedModel load_model(const config::Recipe& recipe, const arch::TaskRequest& request) {
  const auto no_adapters = [](const arch::DecoderConfig&) { return std::optional<peft::AdapterSpec>(); };
  return fill(build_model(recipe, request, no_adapters), recipe);
}

std::string compute_dtype_of(const std::string& asked,
                             const std::filesystem::path& model,
                             const std::vector<std::string>& ignored_keys) {
  check(asked != "float16",
        ErrorCode::kUsage,
        "dtype float16: no operation computes in it; float32, bfloat16 or auto");
  if (asked != "auto") return asked;
  config::Recipe recipe;
  recipe.model.path = model.string();
  recipe.model.ignore_config_keys = ignored_keys;
  const ConfigText text = find_config(recipe.model);
  if (read_config(recipe, text, {}).stored_dtype != DType::kFloat16) return asked;
  log::info(text.folder.string(), ": the weights are float16; computing in float32");
  return "float32";
}

void choose_grad_dtypes(const models::Decoder& decoder, const config::Recipe& recipe) {
  const bool rounds = optim::algorithm_of(recipe.optimizer.kind).rounds_gradients(recipe.optimizer);
  if (!rounds || recipe.step_scheduler.global_batch_size > recipe.step_scheduler.local_batch_size) return;
  for (const auto& unit : decoder.units) {
    const auto reads = [&](const auto& segment) {
      const auto units = segment->units();
      return std::find(units.begin(), units.end(), unit.get()) != units.end();
    };
    const auto reader = std::find_if(decoder.segments.begin(), decoder.segments.end(), reads);
    const bool of_one_block =
        std::count_if(reader, decoder.segments.end(), reads) == 1 && (*reader)->recomputable();
    const bool narrow =
        unit->options().main_dtype == at::kBFloat16 && unit->options().compute_dtype == at::kBFloat16;
    if (unit->trainable() && narrow && of_one_block) unit->set_grad_dtype(at::kBFloat16);
  }
}

LoadedModel load_model(const config::Recipe& recipe, const peft::AdapterFolder& adapter) {
  LoadedModel loaded = build_model(recipe, {}, [&](const arch::DecoderConfig& config) {
    return std::optional(peft::place_in(adapter, config));
  });
  const io::WeightFiles files = io::open_weights(loaded.folder);
  models::load_weights(loaded.decoder, files);
  peft::check_base_copies(adapter, files);
  peft::load_adapter(loaded.decoder, *loaded.adapters, adapter);
  return loaded;
}

}  // namespace automodel::train
