#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/checkpoint/model_files.h"
#include "core/config/recipe.h"
#include "core/data/loader.h"
#include "core/models/decoder.h"
#include "core/optim/optimizer.h"
#include "core/store/run.h"

namespace automodel::checkpoint {

/// Where a run stands, besides weights and optimizer state.
struct Position {
  int64_t next_step = 0;  ///< steps done
  int64_t epoch = 0;
  data::LoaderState loader;
};

/// What is known about the step that is saved.
struct Losses {
  double train_loss = 0;
  std::map<std::string, double> val_loss;  ///< by validation set; empty: not validated
};

/// Saves and loads the checkpoints of one run. docs/checkpoint-format.md.
class Checkpointer {
 public:
  /// Keeps references to the model and the optimizer.
  Checkpointer(const config::Recipe& recipe,
               models::Decoder& decoder,
               optim::Optimizer& optimizer,
               ModelSource source);

  /// Writes epoch_E_step_S for the step just done, moves LATEST (and LOWEST_VAL when the default set's loss
  /// is the lowest so far), removes what retention allows. Throws Error(kIo) on a full disk; earlier
  /// checkpoints stay. Returns what the run store keeps of it.
  store::Checkpoint save(
      int64_t epoch, int64_t step, const Position& position, const Losses& losses, bool is_final);

  /// Loads what find_checkpoint gives for checkpoint.restore_from; nullopt when there is nothing to resume. A
  /// checkpoint of another model found by itself is skipped with a warning, an explicit one is
  /// Error(kFormat).
  std::optional<Position> load();

 private:
  Position load_from(const std::filesystem::path& folder);

  /// Whether a checkpoint's model/ is of this architecture, or holds adapters like these.
  bool holds_this_model(const std::filesystem::path& model_folder) const;

  const config::Recipe& recipe_;
  models::Decoder& decoder_;
  optim::Optimizer& optimizer_;
  ModelSource source_;
};

}  // namespace automodel::checkpoint
