#pragma once

#include <filesystem>
#include <string>

namespace automodel::cli {

/// Whether a finished run should draw its loss: AUTOMODEL_CHART (1 always, 0 never), else when standard error
/// is a terminal.
bool loss_chart_wanted();

/// The loss of every step in a training.jsonl as a drawing with a caption, empty when fewer than two steps
/// have one. Where a step stands twice (a killed run repeats some) its last line counts. Throws Error(kData)
/// naming the line that is not JSON.
std::string loss_chart(const std::filesystem::path& training_jsonl);

}  // namespace automodel::cli
