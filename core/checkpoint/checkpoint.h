#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/checkpoint/inputs.h"
#include "core/checkpoint/model_files.h"
#include "core/config/recipe/recipe.h"
#include "core/data/loader.h"
#include "core/models/decoder.h"
#include "core/optim/lr_schedule.h"
#include "core/optim/optimizer.h"
#include "core/store/run.h"

namespace automodel::checkpoint {

/// Where a run stands, besides weights and optimizer state.
struct Position {
  int64_t next_step = 0;  ///< steps done
  int64_t epoch = 0;
  int64_t branch = 0;  ///< see Published
  data::LoaderState loader;
  std::optional<optim::LrScheduleValues> lr_schedule;  ///< of a recipe with an lr_scheduler section
};

/// What is known about the step that is saved.
struct Losses {
  std::optional<double> train_loss;        ///< none: no token of the step had a label
  std::map<std::string, double> val_loss;  ///< by validation set, those with labels; empty: not validated
};

/// A checkpoint that a run goes on from.
struct Resumed {
  std::filesystem::path folder;
  Position position;
};

/// Saves and loads the checkpoints of one run. docs/checkpoint-format.md.
class Checkpointer {
 public:
  /// Keeps references to the model and the optimizer.
  Checkpointer(const config::Recipe& recipe,
               models::Decoder& decoder,
               optim::Optimizer& optimizer,
               ModelSource source,
               FutureInputs inputs);

  /// Writes epoch_E_step_S for the step just done, moves LATEST (and LOWEST_VAL when the default set's loss
  /// is the lowest so far), removes what retention allows. Throws Error(kIo) on a full disk; earlier
  /// checkpoints stay. Returns what the run store keeps of it.
  store::Checkpoint save(
      int64_t epoch, int64_t step, const Position& position, const Losses& losses, bool is_final);

  /// Loads what find_checkpoint gives for checkpoint.restore_from; nullopt when there is nothing to resume.
  /// Says which keys of the recipe have changed since. LATEST then names it: where it was not the newest, a
  /// new branch begins. Throws Error(kFormat) for a checkpoint of another model, Error(kConfig) for other
  /// inputs.
  std::optional<Resumed> load();

 private:
  Position load_from(const std::filesystem::path& folder);

  /// The branch of a run that goes on from `folder`; LATEST is moved there.
  int64_t enter_branch(const std::filesystem::path& folder) const;

  const config::Recipe& recipe_;
  models::Decoder& decoder_;
  optim::Optimizer& optimizer_;
  ModelSource source_;
  FutureInputs inputs_;
};

}  // namespace automodel::checkpoint
