#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/config/recipe/recipe.h"
#include "core/io/safetensors.h"
#include "core/models/decoder.h"
#include "core/peft/adapter_spec.h"

/// Adapters as Hugging Face's PEFT keeps them: adapter_model.safetensors and adapter_config.json.
/// docs/lora.md.
namespace automodel::peft {

/// A stored tensor of any shape as it lies in the memory map, in its stored type; valid as long as the file
/// is open. Throws Error(kInternal) for a type that LibTorch does not have.
at::Tensor view_of(const io::TensorView& stored);

/// An adapter folder: what its adapters are, and their values in the memory map.
struct AdapterFolder {
  std::filesystem::path path;
  AdapterSpec spec;        ///< segments are empty: the folder does not know the model
  std::string base_model;  ///< base_model_name_or_path, empty when unknown
  io::WeightFiles weights;
  /// Weights of the base that PEFT puts beside adapters of the head or the embedding: name there, name here.
  std::map<std::string, std::string> base_copies;

  /// Values of one matrix, by lora_a_name or lora_b_name.
  const io::TensorView& values(const std::string& name) const;
};

/// Reads a folder that PEFT or this program wrote: the adapter's own, a training checkpoint that holds one in
/// model/, or a folder of such checkpoints (the one that LATEST names). Throws Error(kFormat) for a broken
/// one (a matrix without its partner, another rank), and what read_adapter_config and check_is_target throw.
AdapterFolder read_adapter(const std::filesystem::path& folder);

/// Throws Error(kUnsupported) when a weight of the base in the folder is not the base's: it was trained too.
void check_base_copies(const AdapterFolder& folder, const io::WeightFiles& base);

/// The folder's adapters in the order of a model's definition. Throws Error(kFormat) when the model has no
/// such linear or it has other sizes.
AdapterSpec place_in(const AdapterFolder& folder, const arch::DecoderConfig& config);

/// Copies the values into the decoder's adapter units.
void load_adapter(models::Decoder& decoder, const AdapterSpec& spec, const AdapterFolder& folder);

/// Writes adapter_model.safetensors, its values in `dtype`, and adapter_config.json, as the reference does;
/// and automodel_peft_config.json with the recipe's section. Throws Error(kIo) on a full disk.
void write_adapter(const std::filesystem::path& folder,
                   const models::Decoder& decoder,
                   const AdapterSpec& spec,
                   const config::PeftConfig& peft,
                   const std::string& base_model,
                   DType dtype);

}  // namespace automodel::peft
