#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config/recipe/dataset.h"
#include "core/data/loader.h"

namespace automodel::data {

/// The order that a recipe asks for: its keys that choose and arrange rows, and the fingerprint of the files
/// (store/facts.h: whole up to 64 MiB a file, else sampled). Reads the files: up to 1 GiB in all.
/// Throws Error(kIo), Error(kData).
Order order_of(const config::DatasetConfig& dataset, const Loader::Options& options);

/// The order of a set of rows: its files, and what chooses and shuffles rows.
Order order_of_rows(const config::DatasetConfig& dataset, const Loader::Options& options);

// Values of an order as text.
std::string text_of(bool value);
std::string text_of(const std::optional<int64_t>& value);

/// "2 files, 81234 bytes, xxh128 0123...".
std::string files_text(const std::vector<std::filesystem::path>& files);

}  // namespace automodel::data
