#pragma once

#include <string>
#include <vector>

#include "core/config/recipe.h"
#include "core/store/run_recorder.h"

/// What the engine library offers to the command line. Torch-free: the library is opened with dlopen only
/// when one of these is needed, so that help, errors and `config check` never load LibTorch.
namespace automodel::recipes {

struct ForwardCase {
  std::string model;    ///< folder or Hub id
  std::string adapter;  ///< folder of a trained adapter; empty: none. With it, grads are the adapter's
  std::string ids;      ///< JSON file: list of lists of token ids
  std::string
      labels;  ///< JSON file of the same shape, aligned (not to be shifted); empty: ids shifted by one
  std::string output;             ///< safetensors file to write
  bool grads = false;             ///< also write grad.NAME for every parameter
  std::string dtype = "float32";  ///< compute and storage type, or auto
};

struct Engine {
  /// Fine-tunes or pretrains until done, and tells `run` of it. Returns the exit status (0, or 128 + n when
  /// signal n stopped it).
  int (*finetune)(const config::Recipe& recipe, store::RunRecorder& run);

  /// `model forward`.
  void (*forward)(const std::vector<ForwardCase>& cases);
};

/// The one symbol that the library exports for this purpose.
constexpr const char* kEngineSymbol = "automodel_engine";
using EngineFunction = const Engine* (*)();

}  // namespace automodel::recipes
