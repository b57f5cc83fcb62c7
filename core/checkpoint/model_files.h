#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/models/decoder.h"
#include "core/peft/adapter_files.h"

namespace automodel::checkpoint {

/// What the Hugging Face side of a checkpoint is made of.
struct ModelSource {
  DType weights_dtype = DType::kFloat32;  ///< type of the stored weights
  std::string config_json;                ///< of the model as trained
  std::filesystem::path folder;           ///< where it came from: split into files, and what lies beside them
  std::vector<std::filesystem::path> tokenizer_files;
  std::string chat_template;                  ///< trained with instead of the tokenizer's own; empty: none
  std::optional<peft::AdapterSpec> adapters;  ///< with peft: all that is stored
};

/// Writes `model/`: one safetensors file for each file of the source model, `.hf_metadata/`,
/// `consolidate.sh`, and `consolidated/` when asked: hard links to the shards under the names that
/// transformers looks for, so that the export costs no second write. Nothing is copied in memory. Throws
/// Error(kIo) on a full disk.
void write_model_files(const std::filesystem::path& model_folder,
                       const models::Decoder& decoder,
                       const ModelSource& source,
                       bool consolidated);

/// Writes `model/` of a run with adapters: them alone, as PEFT reads them, and the tokenizer's files.
void write_adapter_files(const std::filesystem::path& model_folder,
                         const models::Decoder& decoder,
                         const ModelSource& source,
                         const config::Recipe& recipe);

}  // namespace automodel::checkpoint
