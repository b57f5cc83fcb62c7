#include "core/store/manifest.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/hash.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kFormatVersion = 1;

/// Hashes files; a second name (hard link) of the same bytes costs nothing.
class Hasher {
 public:
  const std::string& hash(const fs::path& path) {
    struct stat info{};
    check(::stat(path.c_str(), &info) == 0, ErrorCode::kIo, path.string(), ": cannot read");
    std::string& known = known_[{info.st_dev, info.st_ino}];
    if (known.empty()) known = hash_file(path);
    return known;
  }

 private:
  std::map<std::pair<dev_t, ino_t>, std::string> known_;
};

void compare(const fs::path& path, const ordered_json& entry, Hasher& hasher) {
  std::error_code failed;
  const auto size = static_cast<int64_t>(fs::file_size(path, failed));
  check(!failed, ErrorCode::kFormat, path.string(), ": missing; ", kManifestFile, " lists it");
  const auto expected = entry.at("bytes").get<int64_t>();
  check(size == expected,
        ErrorCode::kFormat,
        path.string(),
        ": ",
        size,
        " bytes, ",
        expected,
        " were written: the file was ",
        size < expected ? "truncated" : "changed");
  const std::string& hash = hasher.hash(path);
  check(hash == entry.at("xxh128").get<std::string>(),
        ErrorCode::kFormat,
        path.string(),
        ": its bytes are not those that were written (xxh128 ",
        hash,
        ", ",
        kManifestFile,
        " says ",
        entry.at("xxh128").get<std::string>(),
        "): the file is damaged");
}

}  // namespace

void write_manifest(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Hasher hasher;
  ordered_json listed = ordered_json::object();
  for (const fs::path& file : files) {
    listed[file.lexically_relative(folder).string()] = {{"bytes", fs::file_size(file)},
                                                        {"xxh128", hasher.hash(file)}};
  }
  const ordered_json manifest = {{"format_version", kFormatVersion}, {"files", std::move(listed)}};
  write_file_atomically(folder / kManifestFile, manifest.dump(2) + "\n");
}

std::optional<Manifest> verify_manifest(const fs::path& folder,
                                        const std::function<bool(const std::string&)>& wanted) {
  const fs::path path = folder / kManifestFile;
  if (!fs::exists(path)) return std::nullopt;
  Manifest compared;
  try {
    const ordered_json manifest = ordered_json::parse(read_file(path));
    const int version = manifest.at("format_version").get<int>();
    check(version == kFormatVersion,
          ErrorCode::kFormat,
          path.string(),
          ": format_version ",
          version,
          "; this program reads ",
          kFormatVersion);
    Hasher hasher;
    for (const auto& [name, entry] : manifest.at("files").items()) {
      if (!wanted(name)) continue;
      compare(folder / name, entry, hasher);
      ++compared.num_files;
      compared.num_bytes += entry.at("bytes").get<int64_t>();
    }
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kFormat, path.string(), ": damaged: ", error.what());
  }
  return compared;
}

}  // namespace automodel::store
