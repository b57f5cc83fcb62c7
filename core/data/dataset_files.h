#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace automodel::data {

/// The files that a dataset's paths name, in order. A file stands for itself; a pattern with *, ? or [...]
/// for the files that it matches, by name; of a folder, the data files in and below it (.jsonl, .ndjson,
/// .json, .csv and `more_endings`, each also with .gz) whose names say `split` (train.jsonl,
/// data/validation-00000.json, test/part.csv; valid, dev and val mean validation), or all of them as "train"
/// when no name says a split. Throws Error(kData): a path that does not exist (a Hub id, for instance), a
/// folder without data files or without the split; Error(kUnsupported): Parquet or Arrow.
std::vector<std::filesystem::path> find_dataset_files(const std::vector<std::string>& paths,
                                                      const std::string& split,
                                                      const std::vector<std::string>& more_endings = {});

/// The files that a pattern of glob(7) matches, by name; none: empty.
std::vector<std::filesystem::path> glob_files(const std::string& pattern);

}  // namespace automodel::data
