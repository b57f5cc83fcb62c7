#pragma once

#include <vector>

#include "core/recipes/entry.h"

namespace automodel::recipes {

/// Runs each case and writes its file: logits [rows, longest, V] f32 (zeros after a row's end) or [rows,
/// labels], loss (mean over labels), embedding [rows, D] and, when asked, grad.NAME of every parameter.
/// Throws Error naming the case that failed; earlier files stay.
void forward(const std::vector<ForwardCase>& cases);

}  // namespace automodel::recipes
