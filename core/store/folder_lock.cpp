#include "core/store/folder_lock.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/store/process.h"

namespace automodel::store {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_folder(const fs::path& folder, const std::string& reason) {
  fail(ErrorCode::kIo,
       folder.string(),
       ": the checkpoint folder cannot be written: ",
       reason,
       "; make room or set its permissions, or choose another with checkpoint.checkpoint_dir");
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) : path_(folder / ".lock") {
  std::error_code failed;
  made_folder_ = fs::create_directories(folder, failed);
  if (failed) fail_folder(folder, failed.message());
  open_file();
  const Process here = Process::current();
  const std::string holder =
      "process " + std::to_string(here.pid) + " on " + here.host + " since " + utc_timestamp() + "\n";
  const bool written = ::ftruncate(fd_, 0) == 0 &&
                       ::pwrite(fd_, holder.data(), holder.size(), 0) == static_cast<ssize_t>(holder.size());
  const std::string reason = std::strerror(errno);
  if (written) return;
  ::unlink(path_.c_str());
  ::close(fd_);
  fail_folder(folder, reason);
}

FolderLock::~FolderLock() {
  ::unlink(path_.c_str());
  ::close(fd_);
  if (made_folder_) ::rmdir(path_.parent_path().c_str());  // of a run that left nothing in it
}

void FolderLock::open_file() {
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) fail_folder(path_.parent_path(), std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(fd_);
      check(reason != EWOULDBLOCK,
            ErrorCode::kUsage,
            path_.parent_path().string(),
            ": another run writes to this checkpoint folder: ",
            trim(read_file(path_)),
            "; wait for it or stop it, or give this run a checkpoint.checkpoint_dir of its own");
      if (reason == EINTR) continue;
      log::warning(path_.string(),
                   ": this file system has no locks (",
                   std::strerror(reason),
                   "): see to it that no second run writes to this folder");
      fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
      return;
    }
    // Its last holder may have removed it between opening and locking.
    if (is_still_in_place()) return;
    ::close(fd_);
  }
}

bool FolderLock::is_still_in_place() const {
  struct stat opened{}, there{};
  return ::fstat(fd_, &opened) == 0 && ::stat(path_.c_str(), &there) == 0 && opened.st_ino == there.st_ino &&
         opened.st_dev == there.st_dev;
}

}  // namespace automodel::store
