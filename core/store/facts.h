#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace automodel::store {

/// {"host", "system", "cpu", "cores", "memory_bytes", "gpus": [names]}: read from /proc, no driver is loaded.
nlohmann::ordered_json machine_facts();

/// {"version", "xxh128": of all files together, "files": {name: xxh128}}: the program and its libraries, read
/// from where they were started. Throws Error(kIo).
nlohmann::ordered_json program_facts();

/// The files of one data set, by the part of the recipe that names them.
struct DataFiles {
  std::string set;  ///< "dataset", "validation_dataset", ...
  std::vector<std::filesystem::path> files;
};

/// {"files": count, "bytes": sum, "xxh128", "sampled"}: equal for equal bytes in equal order, whatever the
/// files are called. Of a file above `num_blocks` MiB its size and so many blocks of 1 MiB, evenly spread,
/// are hashed ("sampled": true). `give_up` is asked between blocks; then the result is {}. Throws Error(kIo).
nlohmann::ordered_json fingerprint(const std::vector<std::filesystem::path>& files,
                                   const std::function<bool()>& give_up,
                                   int64_t num_blocks = 64);

}  // namespace automodel::store
