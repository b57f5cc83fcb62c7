#include "core/store/facts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/strings.h"
#include "core/store/process.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int64_t kBlock = int64_t{1} << 20;

/// The value of the first line "key : value" of a file in /proc.
std::string proc_value(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos && trim(std::string_view(line).substr(0, colon)) == key)
      return std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  return "";
}

ordered_json gpu_names() {
  ordered_json names = ordered_json::array();
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    names.push_back(proc_value(entry.path() / "information", "Model"));
  }
  return names;
}

/// The program, then its own libraries beside it or in ../lib, by name.
std::vector<fs::path> program_files() {
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  std::vector<fs::path> files;
  for (const fs::path& folder : {program.parent_path(), program.parent_path().parent_path() / "lib"}) {
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("libautomodel_") && name.ends_with(".so")) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  files.insert(files.begin(), program);
  return files;
}

void add_sampled(Hash& hash,
                 const fs::path& path,
                 int64_t size,
                 int64_t num_blocks,
                 const std::function<bool()>& give_up) {
  std::ifstream file(path, std::ios::binary);
  check(file.good(), ErrorCode::kIo, path.string(), ": cannot open: ", std::strerror(errno));
  const bool whole = size <= kBlock * num_blocks;
  std::string block(static_cast<size_t>(kBlock), '\0');
  for (int64_t i = 0; i < num_blocks && !give_up(); ++i) {
    if (whole ? i * kBlock >= size : false) break;
    file.seekg(whole ? i * kBlock : (size - kBlock) / std::max<int64_t>(num_blocks - 1, 1) * i);
    file.read(block.data(), whole ? std::min(kBlock, size - i * kBlock) : kBlock);
    check(!file.bad(), ErrorCode::kIo, path.string(), ": cannot read");
    hash.add(block.data(), static_cast<size_t>(file.gcount()));
  }
}

}  // namespace

ordered_json machine_facts() {
  struct utsname system{};
  ::uname(&system);
  return {{"host", Process::current().host},
          {"system", std::string(system.sysname) + " " + system.release + " " + system.machine},
          {"cpu", proc_value("/proc/cpuinfo", "model name")},
          {"cores", static_cast<int64_t>(::sysconf(_SC_NPROCESSORS_ONLN))},
          {"memory_bytes", static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE)},
          {"gpus", gpu_names()}};
}

ordered_json program_facts() {
  ordered_json files = ordered_json::object();
  Hash all;
  for (const fs::path& file : program_files()) {
    const std::string hash = hash_file(file);
    files[file.filename().string()] = hash;
    all.add(hash);
  }
  return {{"version", AUTOMODEL_VERSION}, {"xxh128", all.hex()}, {"files", std::move(files)}};
}

ordered_json fingerprint(const std::vector<fs::path>& files,
                         const std::function<bool()>& give_up,
                         int64_t num_blocks) {
  Hash hash;
  int64_t bytes = 0;
  bool sampled = false;
  for (const fs::path& path : files) {
    std::error_code failed;
    const auto size = static_cast<int64_t>(fs::file_size(path, failed));
    check(!failed, ErrorCode::kIo, path.string(), ": ", failed.message());
    bytes += size;
    sampled = sampled || size > kBlock * num_blocks;
    hash.add(std::to_string(size) + "\n");
    add_sampled(hash, path, size, num_blocks, give_up);
    if (give_up()) return ordered_json::object();
  }
  return {{"files", files.size()}, {"bytes", bytes}, {"xxh128", hash.hex()}, {"sampled", sampled}};
}

}  // namespace automodel::store
