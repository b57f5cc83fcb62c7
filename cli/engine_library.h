#pragma once

#include "core/recipes/entry.h"

namespace automodel::cli {

/// Opens libautomodel_engine.so, and with it LibTorch (165 ms, 113 MB), the first time it is called.
/// Throws Error(kInternal) naming the file when the library is missing or does not fit this program.
const recipes::Engine& load_engine();

}  // namespace automodel::cli
