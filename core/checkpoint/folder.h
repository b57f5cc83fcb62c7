#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace automodel::checkpoint {

/// "epoch_0_step_19".
std::string folder_name(int64_t epoch, int64_t step);

/// A published checkpoint of a run.
struct Published {
  int64_t epoch = 0;
  int64_t step = 0;
  /// 0, 1, ...: a run that goes on from another checkpoint than its newest begins the next branch and gives
  /// the newer checkpoints up.
  int64_t branch = 0;
  std::filesystem::path path;
};

/// All published checkpoints below `checkpoint_dir` in the order in which they were reached: by branch, then
/// by step. Folders still being written are not found.
std::vector<Published> list_published(const std::filesystem::path& checkpoint_dir);

/// The checkpoint to resume from: `restore_from` as a path, a folder name below checkpoint_dir, LATEST or
/// LOWEST_VAL; nullopt asks for what LATEST names, else the newest, and gives nullopt when there is none.
/// Throws Error(kData), naming what exists, when an explicit choice is not there.
std::optional<std::filesystem::path> find_checkpoint(const std::filesystem::path& checkpoint_dir,
                                                     const std::optional<std::string>& restore_from);

/// A checkpoint being written: a folder beside the final one, renamed into place by publish(). Removed when
/// it goes unpublished, so that a failure (a full disk) leaves earlier checkpoints and nothing else.
class Staging {
 public:
  /// Removes leftovers of a killed run first.
  Staging(const std::filesystem::path& checkpoint_dir, int64_t epoch, int64_t step);

  /// Stages a folder that is no checkpoint of a run. Throws Error(kData) when FOLDER.incomplete is there:
  /// another process may be writing it.
  explicit Staging(const std::filesystem::path& final_folder);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const std::filesystem::path& path() const { return staging_; }

  /// Makes every file durable, renames the folder to its final name and returns that.
  /// A published folder of the same name is replaced.
  std::filesystem::path publish();

 private:
  std::filesystem::path final_, staging_;
};

/// Points `checkpoint_dir/link` ("LATEST") at a folder below it: a symbolic link, or link.txt where links
/// fail.
void point_link(const std::filesystem::path& checkpoint_dir,
                const std::string& link,
                const std::string& target);

/// The folder name a link points at; nullopt when there is none.
std::optional<std::string> read_link(const std::filesystem::path& checkpoint_dir, const std::string& link);

/// Makes room for a checkpoint of `branch` called `name`: one of another branch that has the name gets
/// ".branch_B" behind it, and LOWEST_VAL follows. Nothing is deleted.
void move_other_branch_aside(const std::filesystem::path& checkpoint_dir,
                             const std::string& name,
                             int64_t branch);

/// Deletes all but the newest `keep` checkpoints, those of earlier branches first, and those that LATEST and
/// LOWEST_VAL name.
void remove_old(const std::filesystem::path& checkpoint_dir, int64_t keep);

}  // namespace automodel::checkpoint
