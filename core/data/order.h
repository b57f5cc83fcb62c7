#pragma once

#include "core/config/recipe/recipe.h"
#include "core/data/loader.h"

namespace automodel::data {

/// The order that a recipe asks for: its keys that choose and arrange rows, and the fingerprint of the files
/// (store/facts.h: whole up to 64 MiB a file, else sampled). Reads the files: up to 1 GiB in all.
/// Throws Error(kIo), Error(kData).
Order order_of(const config::DatasetConfig& dataset, const Loader::Options& options);

}  // namespace automodel::data
