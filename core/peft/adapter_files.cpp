#include "core/peft/adapter_files.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/io/json.h"
#include "core/peft/adapter_config.h"
#include "core/tensor/dtype.h"

namespace automodel::peft {
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;  // sorted keys, as the reference writes them

constexpr const char* kWeightsFile = "adapter_model.safetensors";
constexpr const char* kConfigFile = "adapter_config.json";
constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kSuffixA = ".lora_A.weight";
constexpr std::string_view kSuffixB = ".lora_B.weight";
constexpr const char* kEmbedding = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";

/// The folder itself, or the one inside that has a configuration.
fs::path adapter_in(const fs::path& given) {
  for (const fs::path& path : {given, given / "model", given / "LATEST" / "model"}) {
    if (fs::exists(path / kConfigFile)) return path;
  }
  return given;
}

/// The whole model that lies where an adapter was looked for; empty: none.
fs::path full_model_in(const fs::path& given) {
  for (const char* checkpoint : {"", "LATEST"}) {
    for (const char* folder : {"", "model/consolidated", "consolidated", "model"}) {
      const fs::path place = given / checkpoint / folder;
      std::error_code failed;
      for (const auto& entry : fs::directory_iterator(place, failed)) {
        const std::string name = entry.path().filename().string();
        const bool is_weights = name.starts_with("model") || name.starts_with("shard-");
        if (is_weights && name.ends_with(".safetensors")) return place.lexically_normal();
      }
    }
  }
  return {};
}

/// The base's own weight that a tensor is a copy of, empty when it is none: PEFT saves the head and the
/// embedding when one of them has an adapter.
std::string base_name(const std::string& tensor) {
  constexpr std::string_view kBaseLayer = ".base_layer.weight";
  if (!tensor.starts_with(kPrefix)) return "";
  const std::string name = tensor.substr(kPrefix.size());
  if (name.ends_with(kBaseLayer)) return name.substr(0, name.size() - kBaseLayer.size()) + ".weight";
  return name == kEmbedding || name == kHead ? name : "";
}

/// Fills the linears from the names and shapes of the matrices.
void find_linears(AdapterFolder& folder) {
  std::set<std::string> partners;
  const std::string where = (folder.path / kWeightsFile).string();
  for (const io::TensorView& tensor : folder.weights.files[0].tensors()) {
    const std::string& name = tensor.name;
    const bool is_a = name.ends_with(kSuffixA);
    if (const std::string base = base_name(name); !base.empty()) {
      folder.base_copies[base] = name;
      continue;
    }
    check(name.starts_with(kPrefix) && (is_a || name.ends_with(kSuffixB)),
          ErrorCode::kUnsupported,
          where,
          ": tensor \"",
          name,
          "\" is not one of a linear's two LoRA matrices (",
          kPrefix,
          "MODULE",
          kSuffixA,
          ")");
    check(tensor.shape.size() == 2 && tensor.shape[is_a ? 0 : 1] == folder.spec.rank,
          ErrorCode::kFormat,
          where,
          ": tensor \"",
          name,
          "\": expected two dimensions, one of them the rank ",
          folder.spec.rank,
          " of ",
          kConfigFile);
    if (!is_a) {
      partners.insert(name);
      continue;
    }
    const std::string module = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffixA.size());
    const std::string b = std::string(kPrefix) + lora_b_name(module);
    check(folder.weights.index.contains(b), ErrorCode::kFormat, where, ": tensor \"", b, "\" is missing");
    folder.spec.linears.push_back({module, "", tensor.shape[1], folder.weights.at(b).shape[0]});
  }
  check(partners.size() == folder.spec.linears.size() && !partners.empty(),
        ErrorCode::kFormat,
        where,
        ": ",
        folder.spec.linears.size(),
        " lora_A for ",
        partners.size(),
        " lora_B; expected as many, at least one");
}

/// One name as text, several as a list: as the recipe has it.
Json names_json(const std::vector<std::string>& names, bool as_text) {
  return as_text && names.size() == 1 ? Json(names[0]) : Json(names);
}

std::string python_text(const Json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/true);
}

std::string config_text(const AdapterSpec& spec,
                        const config::PeftConfig& peft,
                        const std::string& base_model) {
  std::vector<std::string> modules;
  for (const LinearShape& linear : spec.linears) modules.push_back(linear.module);
  std::sort(modules.begin(), modules.end());
  return python_text({{"base_model_name_or_path", base_model},
                      {"bias", "none"},
                      {"lora_alpha", peft.alpha},
                      {"peft_type", "LORA"},
                      {"r", peft.dim},
                      {"target_modules", modules},
                      {"task_type", "CAUSAL_LM"},
                      {"use_dora", false}});
}

std::string recipe_text(const config::PeftConfig& peft) {
  return python_text({{"dropout", peft.dropout},
                      {"dropout_position", peft.dropout_position},
                      {"exclude_modules", names_json(peft.exclude_modules, peft.exclude_is_text)},
                      {"expert_weight_format", "unquantized"},
                      {"lora_A_init", peft.lora_a_init},
                      {"lora_dtype", peft.lora_dtype.empty() ? Json() : Json("torch." + peft.lora_dtype)},
                      {"match_all_linear", peft.match_all_linear},
                      {"moe_rank_scaling", peft.moe_rank_scaling},
                      {"target_modules", names_json(peft.target_modules, peft.target_is_text)},
                      {"use_dora", false},
                      {"use_memory_efficient_lora", peft.use_memory_efficient_lora},
                      {"use_triton", peft.use_triton}});
}

}  // namespace

at::Tensor view_of(const io::TensorView& stored) {
  // from_blob wants a mutable pointer; nobody writes.
  return at::from_blob(
      const_cast<std::byte*>(stored.data), stored.shape, at::dtype(tensor::to_torch(stored.dtype)));
}

const io::TensorView& AdapterFolder::values(const std::string& name) const {
  return weights.at(std::string(kPrefix) + name);
}

AdapterFolder read_adapter(const fs::path& given) {
  AdapterFolder folder;
  const fs::path path = adapter_in(given);
  folder.path = path;
  if (!fs::exists(path / kConfigFile)) {
    if (const fs::path model = full_model_in(given); !model.empty())
      fail(ErrorCode::kFormat,
           given.string(),
           ": a full model, not an adapter (every weight was trained); use it as the model itself: ",
           model.string());
  }
  for (const char* file : {kConfigFile, kWeightsFile}) {
    check(fs::exists(path / file),
          ErrorCode::kFormat,
          (path / file).string(),
          ": missing; an adapter is a folder with ",
          kConfigFile,
          " and ",
          kWeightsFile);
  }
  const std::string config_file = (path / kConfigFile).string();
  const Json json = io::read_json(path / kConfigFile);
  const AdapterConfig config = read_adapter_config(json, config_file);
  folder.spec.rank = config.rank;
  folder.spec.scale = config.scale;
  folder.base_model = config.base_model;
  folder.weights = io::open_weight_files({path / kWeightsFile});
  find_linears(folder);
  for (const LinearShape& linear : folder.spec.linears) check_is_target(json, linear.module, config_file);
  return folder;
}

AdapterSpec place_in(const AdapterFolder& folder, const arch::DecoderConfig& config) {
  AdapterSpec placed = folder.spec;
  placed.linears.clear();
  std::vector<std::string> names;
  for (const LinearShape& linear : linears_of(config)) {
    names.push_back(linear.module);
    const auto found =
        std::find_if(folder.spec.linears.begin(), folder.spec.linears.end(), [&](const LinearShape& stored) {
          return stored.module == linear.module;
        });
    if (found == folder.spec.linears.end()) continue;
    check(found->in == linear.in && found->out == linear.out,
          ErrorCode::kFormat,
          folder.path.string(),
          ": the adapter of ",
          linear.module,
          " is for ",
          found->in,
          " inputs and ",
          found->out,
          " outputs; the model's has ",
          linear.in,
          " and ",
          linear.out);
    check_adaptable(linear);
    placed.linears.push_back(linear);
  }
  for (const LinearShape& stored : folder.spec.linears) {
    if (std::find(names.begin(), names.end(), stored.module) != names.end()) continue;
    const std::string nearest = nearest_name(stored.module, names);
    fail(ErrorCode::kFormat,
         folder.path.string(),
         ": the adapter's ",
         stored.module,
         " is no linear of ",
         config.architecture,
         nearest.empty() ? "" : "; nearest: " + nearest);
  }
  return placed;
}

void check_base_copies(const AdapterFolder& folder, const io::WeightFiles& base) {
  for (const auto& [name, copy] : folder.base_copies) {
    const bool tied = name == kHead && !base.index.contains(kHead);
    const at::Tensor stored = view_of(base.at(tied ? kEmbedding : name));
    const at::Tensor other = view_of(folder.weights.at(copy));
    const bool same = stored.sizes() == other.sizes() && at::equal(stored, other.to(stored.scalar_type()));
    check(same,
          ErrorCode::kUnsupported,
          (folder.path / kWeightsFile).string(),
          ": tensor \"",
          copy,
          "\" differs from the base's ",
          name,
          "; weights trained as a whole are not implemented");
  }
}

void load_adapter(models::Decoder& decoder, const AdapterSpec& spec, const AdapterFolder& folder) {
  for (const LinearShape& linear : spec.linears) {
    for (const std::string& name : {lora_a_name(linear.module), lora_b_name(linear.module)}) {
      const io::TensorView& stored = folder.values(name);
      const tensor::Weight weight = decoder.find(name);
      const at::Tensor values = at::from_blob(
          const_cast<std::byte*>(stored.data), stored.shape, at::dtype(tensor::to_torch(stored.dtype)));
      weight.unit->write_main_weight(weight.first,
                                     [&](const at::Tensor& parameter) { parameter.copy_(values); });
    }
  }
}

void write_adapter(const fs::path& folder,
                   const models::Decoder& decoder,
                   const AdapterSpec& spec,
                   const config::PeftConfig& peft,
                   const std::string& base_model,
                   DType dtype) {
  fs::create_directories(folder);
  std::vector<std::string> names;
  for (const LinearShape& linear : spec.linears) {
    names.push_back(lora_a_name(linear.module));
    names.push_back(lora_b_name(linear.module));
  }
  std::sort(names.begin(), names.end());
  std::vector<at::Tensor> values;
  std::vector<io::TensorToWrite> tensors;
  for (const std::string& name : names) {
    const tensor::Weight weight = decoder.find(name);
    values.push_back(weight.unit->main_weight(weight.first).to(at::kCPU, tensor::to_torch(dtype)));
    tensors.push_back(
        {std::string(kPrefix) + name, dtype, values.back().sizes().vec(), values.back().const_data_ptr()});
  }
  io::write_safetensors(folder / kWeightsFile, tensors);
  write_file_atomically(folder / kConfigFile, config_text(spec, peft, base_model));
  write_file_atomically(folder / "automodel_peft_config.json", recipe_text(peft));
}

}  // namespace automodel::peft
