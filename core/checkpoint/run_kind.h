#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/config/recipe/recipe.h"
#include "core/peft/adapter_spec.h"

namespace automodel::checkpoint {

/// What the checkpoints of a run hold: those of another kind cannot be resumed from.
struct RunKind {
  std::string config_json;                    ///< of the model as trained
  std::optional<peft::AdapterSpec> adapters;  ///< with peft: all that is stored
};

/// Whether a checkpoint is of this kind: of the same classes, or with adapters like these.
bool is_of_kind(const std::filesystem::path& checkpoint, const RunKind& kind);

/// Throws Error(kConfig), naming both runs and the ways out, when checkpoint_dir holds checkpoints that this
/// run cannot go on from and would write among: of another kind, or any at all when it saves none. `kind` is
/// asked for only where there are some.
void refuse_folder_of_another_run(const config::Recipe& recipe, const std::function<RunKind()>& kind);

}  // namespace automodel::checkpoint
