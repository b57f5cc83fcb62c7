#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/store/run_store.h"

namespace automodel::store {

/// Bytes of a file: [begin, end), end -1 for all that follows.
struct FileRange {
  int64_t begin = 0, end = -1;
};

/// Sizes of the training.jsonl and validation*.jsonl of a checkpoint folder: {name: bytes} as JSON.
std::string metric_file_sizes(const std::filesystem::path& folder);

/// The records of a folder's training.jsonl and validation*.jsonl, in the order of the files. `ranges` limits
/// a file by its name. A line that is no record (a crash cut it) is left out with a warning that names it.
/// Throws Error(kIo).
std::vector<Metric> read_metric_files(const std::filesystem::path& folder,
                                      const std::map<std::string, FileRange>& ranges = {});

/// Adds, or reads anew, the run that a folder's files tell of: metrics, checkpoints, and the recipe of the
/// newest checkpoint. Its state is unknown: the files do not say how it ended. Runs that were recorded as
/// they ran stay as they are. Throws Error(kData) when the folder has no training.jsonl.
Run import_folder(RunStore& store, const std::filesystem::path& folder);

/// Runs whose process is gone without a word: their state becomes killed, and what their process could not
/// store any more is read from the folder's files. Returns how many.
int64_t settle_dead_runs(RunStore& store);

}  // namespace automodel::store
