#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace automodel::cli {

/// What lies at a path that a user calls a checkpoint.
struct CheckpointFolder {
  enum class Kind {
    kFile,      ///< one safetensors file
    kModel,     ///< a Hugging Face folder
    kTraining,  ///< epoch_E_step_S as training writes it, or a copy of it: docs/checkpoint-format.md
  } kind = Kind::kFile;

  std::filesystem::path path;
  std::filesystem::path model;  ///< Hugging Face folder in it; empty: none
  std::vector<std::filesystem::path>
      shards;                    ///< of a training checkpoint: the weights as training writes them
  std::filesystem::path config;  ///< config.json beside or for them; empty: none
  std::vector<std::filesystem::path> files;  ///< every safetensors file, sorted
  std::optional<int64_t> epoch, step;        ///< by the name of a training checkpoint
  bool incomplete = false;                   ///< training was writing it when it stopped
};

/// Looks at a safetensors file, a Hugging Face folder, a Hub id in the cache, a training checkpoint, or a
/// folder of training checkpoints (the one that LATEST names). Throws Error(kData) saying what was expected.
CheckpointFolder open_checkpoint_folder(const std::string& path_or_id);

}  // namespace automodel::cli
