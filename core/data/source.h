#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/config/recipe/recipe.h"

namespace automodel::data {

/// A table of rows that can be read in any order. Rows are found on opening and parsed when asked for.
/// Immutable: any thread may call.
class Source {
 public:
  virtual ~Source() = default;

  virtual int64_t num_rows() const = 0;

  /// The row as a JSON object with its keys in the order of the file.
  /// Throws Error(kData) "file:line: what is wrong".
  virtual nlohmann::ordered_json row(int64_t index) const = 0;

  /// "file:line" of a row. Reads the file up to there: for messages.
  virtual std::string place(int64_t index) const = 0;

  /// Rows that are not JSON and were left out on opening (skip_invalid_samples).
  virtual int64_t num_skipped() const { return 0; }
};

/// One file: .jsonl and .ndjson by lines; .json as an array of objects or objects one after the other; .csv
/// with a header row; each also gzipped. `skip_invalid` leaves lines out that are not JSON. Throws
/// Error(kData) for any other kind of file and for one that cannot be divided into rows.
std::unique_ptr<Source> open_file_source(const std::filesystem::path& path, bool skip_invalid);

/// Opens one file of a set.
using OpenFile = std::function<std::unique_ptr<Source>(const std::filesystem::path& file)>;

/// `files` one after the other, then shuffle_seed, the slice of dataset.split and limit_dataset_samples.
/// Throws Error(kData) when no row is left.
std::unique_ptr<Source> join_files(const config::DatasetConfig& dataset,
                                   const std::vector<std::filesystem::path>& files,
                                   const OpenFile& open);

/// The same of all files of dataset.paths, each by `open_file_source`. Throws Error(kData) when a file is
/// missing, saying where it looked.
std::unique_ptr<Source> open_source(const config::DatasetConfig& dataset);

}  // namespace automodel::data
