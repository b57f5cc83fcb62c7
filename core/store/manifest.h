#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace automodel::store {

/// The name of the file below a folder that lists the others.
constexpr const char* kManifestFile = "manifest.json";

/// Writes FOLDER/manifest.json: size and XXH3-128 of every file below the folder
/// (docs/checkpoint-format.md). Throws Error(kIo).
void write_manifest(const std::filesystem::path& folder);

struct Manifest {
  int64_t num_files = 0, num_bytes = 0;  ///< compared
};

/// Reads every file that the manifest lists and `wanted` (a path below the folder) admits. Files that it does
/// not list are not looked at. Nothing when the folder has no manifest (older checkpoints). Throws
/// Error(kFormat) naming the file that is missing, cut or changed.
std::optional<Manifest> verify_manifest(const std::filesystem::path& folder,
                                        const std::function<bool(const std::string&)>& wanted);

}  // namespace automodel::store
