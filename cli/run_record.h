#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "cli/recipe_arguments.h"
#include "core/config/recipe/load.h"
#include "core/store/run_recorder.h"

namespace automodel::cli {

/// Where a training command records its run: --store, AUTOMODEL_RUNS, or the user's state folder; nothing:
/// not at all.
std::optional<std::filesystem::path> recording_place(const RecipeArguments& arguments);

/// What is known of a run before it starts. Files that cannot be found are left to the run to complain of.
store::RunStart describe_run(const config::Document& document, const config::Recipe& recipe);

/// Runs `train` and records how it ended: its exit status, or what it threw, which goes on.
int recording_end(store::RunRecorder& run, const std::function<int()>& train);

}  // namespace automodel::cli
