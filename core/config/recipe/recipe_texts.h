#pragma once

#include "core/config/text/node.h"

namespace automodel::config {

/// Makes text of every number or date of a recipe that an option reads as text: `checkpoint_dir: 2025_10` is
/// a folder of that name, and written as the number 202510 it would be read back as another. Values of
/// options that are not known, or not text, stay as they are.
void keep_texts(Node& recipe);

}  // namespace automodel::config
