#include "core/checkpoint/folder.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strings.h"

namespace automodel::checkpoint {
namespace fs = std::filesystem;

namespace {

constexpr const char* kStagingSuffix = ".incomplete";

constexpr const char* kBranchSuffix = ".branch_";

/// Of a checkpoint's step_scheduler.json; 0 where nothing is said.
int64_t stored_branch(const fs::path& folder) {
  std::error_code none;
  const fs::path file = folder / "step_scheduler.json";
  if (!fs::exists(file, none)) return 0;
  const auto state = nlohmann::json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  return state.is_object() && state.contains("branch") && state["branch"].is_number_integer()
             ? state["branch"].get<int64_t>()
             : 0;
}

std::optional<Published> parse(const fs::path& path) {
  long long epoch = 0, step = 0, branch = 0;
  int used = 0;
  const std::string name = path.filename().string();
  if (std::sscanf(name.c_str(), "epoch_%lld_step_%lld%n", &epoch, &step, &used) != 2) return std::nullopt;
  if (static_cast<size_t>(used) == name.size()) return Published{epoch, step, stored_branch(path), path};
  const std::string rest = name.substr(static_cast<size_t>(used));
  if (std::sscanf(rest.c_str(), ".branch_%lld%n", &branch, &used) != 1) return std::nullopt;
  if (static_cast<size_t>(used) != rest.size()) return std::nullopt;
  return Published{epoch, step, branch, path};
}

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    entry.is_directory() ? fsync_folder(entry.path()) : fsync_file(entry.path());
  }
  fsync_folder(folder);
}

}  // namespace

std::string folder_name(int64_t epoch, int64_t step) {
  return "epoch_" + std::to_string(epoch) + "_step_" + std::to_string(step);
}

std::vector<Published> list_published(const fs::path& checkpoint_dir) {
  std::vector<Published> found;
  if (!fs::is_directory(checkpoint_dir)) return found;
  for (const auto& entry : fs::directory_iterator(checkpoint_dir)) {
    if (!entry.is_directory() || entry.is_symlink()) continue;
    if (auto published = parse(entry.path())) found.push_back(std::move(*published));
  }
  std::ranges::sort(found, {}, [](const Published& one) { return std::pair(one.branch, one.step); });
  return found;
}

std::optional<fs::path> find_checkpoint(const fs::path& checkpoint_dir,
                                        const std::optional<std::string>& restore_from) {
  const std::vector<Published> published = list_published(checkpoint_dir);
  if (!restore_from) {
    if (published.empty()) return std::nullopt;
    const std::optional<std::string> latest = read_link(checkpoint_dir, "LATEST");
    if (latest && fs::is_directory(checkpoint_dir / *latest)) return checkpoint_dir / *latest;
    return published.back().path;
  }
  std::string name = *restore_from;
  if (name == "LATEST" || name == "LOWEST_VAL") name = read_link(checkpoint_dir, name).value_or(name);
  for (const fs::path& place : {checkpoint_dir / name, fs::path(name)}) {
    if (fs::is_directory(place)) return place;
  }
  std::vector<std::string> names;
  for (const Published& one : published) names.push_back(one.path.filename().string());
  fail(ErrorCode::kData,
       "checkpoint.restore_from: ",
       *restore_from,
       " is neither a folder nor a checkpoint in ",
       checkpoint_dir.string(),
       "; it holds ",
       names.empty() ? "none" : join(names, ", "));
}

Staging::Staging(const fs::path& checkpoint_dir, int64_t epoch, int64_t step)
    : final_(checkpoint_dir / folder_name(epoch, step)), staging_(final_.string() + kStagingSuffix) {
  fs::create_directories(checkpoint_dir);
  for (const auto& entry : fs::directory_iterator(checkpoint_dir)) {
    if (entry.path().filename().string().ends_with(kStagingSuffix)) fs::remove_all(entry.path());
  }
  fs::create_directory(staging_);
}

Staging::Staging(const fs::path& final_folder)
    : final_(final_folder.has_filename() ? final_folder : final_folder.parent_path()),
      staging_(final_.string() + kStagingSuffix) {
  if (final_.has_parent_path()) fs::create_directories(final_.parent_path());
  check(
      fs::create_directory(staging_),
      ErrorCode::kData,
      staging_.string(),
      ": is there already: another process is writing it, or was stopped before it had; delete it if none is at work");
}

Staging::~Staging() {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
}

fs::path Staging::publish() {
  sync_tree(staging_);
  fs::remove_all(final_);
  fs::rename(staging_, final_);
  fsync_folder(final_.has_parent_path() ? final_.parent_path() : ".");
  return final_;
}

void point_link(const fs::path& checkpoint_dir, const std::string& link, const std::string& target) {
  const fs::path temporary = checkpoint_dir / ("." + link + ".new");
  std::error_code failed;
  fs::remove(temporary, failed);
  fs::create_directory_symlink(target, temporary, failed);
  if (failed) {
    write_file_atomically(checkpoint_dir / (link + ".txt"), target);
    return;
  }
  fs::rename(temporary, checkpoint_dir / link);
  fsync_folder(checkpoint_dir);
}

std::optional<std::string> read_link(const fs::path& checkpoint_dir, const std::string& link) {
  const fs::path path = checkpoint_dir / link;
  if (fs::is_symlink(path)) return fs::read_symlink(path).string();
  const fs::path text = checkpoint_dir / (link + ".txt");
  if (fs::exists(text)) return std::string(trim(read_file(text)));
  return std::nullopt;
}

void move_other_branch_aside(const fs::path& checkpoint_dir, const std::string& name, int64_t branch) {
  const fs::path there = checkpoint_dir / name;
  if (!fs::exists(there)) return;
  const int64_t other = stored_branch(there);
  if (other == branch) return;
  const std::string aside = name + kBranchSuffix + std::to_string(other);
  fs::remove_all(checkpoint_dir / aside);
  fs::rename(there, checkpoint_dir / aside);
  if (read_link(checkpoint_dir, "LOWEST_VAL") == name) point_link(checkpoint_dir, "LOWEST_VAL", aside);
}

void remove_old(const fs::path& checkpoint_dir, int64_t keep) {
  const std::vector<Published> published = list_published(checkpoint_dir);
  const std::optional<std::string> latest = read_link(checkpoint_dir, "LATEST");
  const std::optional<std::string> lowest = read_link(checkpoint_dir, "LOWEST_VAL");
  for (int64_t i = 0; i + keep < static_cast<int64_t>(published.size()); ++i) {
    const fs::path& path = published[static_cast<size_t>(i)].path;
    const std::string name = path.filename().string();
    if (name != latest && name != lowest) fs::remove_all(path);
  }
}

}  // namespace automodel::checkpoint
