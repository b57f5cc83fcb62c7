#pragma once

#include <filesystem>
#include <future>
#include <string>

#include "core/config/recipe/recipe.h"
#include "core/data/loader.h"

namespace automodel::checkpoint {

/// What a run is made from, told apart when it resumes. Kept in a checkpoint's inputs.json.
struct Inputs {
  std::string base;  ///< fingerprint of the weights it began with; empty: they were drawn
  data::Order order;
};

/// Reading it takes a moment, which nobody waits for before the first save.
using FutureInputs = std::shared_future<Inputs>;

void write_inputs(const std::filesystem::path& folder, const Inputs& inputs);

/// Throws Error(kConfig), naming what differs and the option that accepts it, when a checkpoint's run was
/// made from other inputs. A checkpoint without inputs.json is a warning.
void check_inputs(const std::filesystem::path& folder, const Inputs& now, const config::Recipe& recipe);

}  // namespace automodel::checkpoint
