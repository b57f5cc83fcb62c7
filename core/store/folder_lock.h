#pragma once

#include <filesystem>

namespace automodel::store {

/// Holds a checkpoint folder for one run: FOLDER/.lock, locked by flock (released by the system when the
/// process dies, however it dies), with the holder's process, host and time in it. The file goes with the
/// object.
class FolderLock {
 public:
  /// Makes the folder where it is missing. Throws Error(kUsage) saying who holds it, Error(kIo) when the
  /// folder cannot be written. A file system without locks is a warning.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  void open_file();
  bool is_still_in_place() const;

  std::filesystem::path path_;
  bool made_folder_ = false;  ///< then it goes too when it is empty at the end
  int fd_ = -1;
};

}  // namespace automodel::store
