#include "core/base/files.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "core/base/error.h"

namespace automodel {
namespace {

/// An open file descriptor, closed on every way out.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags, mode_t mode = 0) : path_(path) {
    fd_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    check(fd_ >= 0, ErrorCode::kIo, path.string(), ": cannot open: ", std::strerror(errno));
  }

  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

  void sync() {
    const bool synced = ::fsync(fd_) == 0;
    check(synced, ErrorCode::kIo, path_.string(), ": cannot sync: ", std::strerror(errno));
  }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::string content;
  read_blocks(path, [&](std::string_view block) { content += block; });
  return content;
}

void read_blocks(const std::filesystem::path& path, const std::function<void(std::string_view)>& use) {
  Descriptor file(path, O_RDONLY);
  std::vector<char> block(size_t{1} << 18);
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    check(got >= 0, ErrorCode::kIo, path.string(), ": cannot read: ", std::strerror(errno));
    if (got == 0) return;
    use({block.data(), static_cast<size_t>(got)});
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::path temporary = path;
  temporary += ".tmp." + std::to_string(::getpid());
  try {
    Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    while (!content.empty()) {
      const ssize_t put = ::write(file.get(), content.data(), content.size());
      if (put < 0 && errno == EINTR) continue;
      check(put >= 0, ErrorCode::kIo, path.string(), ": cannot write: ", std::strerror(errno));
      content.remove_prefix(static_cast<size_t>(put));
    }
    file.sync();
    const bool renamed = ::rename(temporary.c_str(), path.c_str()) == 0;
    check(renamed, ErrorCode::kIo, path.string(), ": cannot put in place: ", std::strerror(errno));
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  fsync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

void fsync_folder(const std::filesystem::path& folder) {
  Descriptor(folder, O_RDONLY | O_DIRECTORY).sync();
}

void fsync_file(const std::filesystem::path& path) {
  Descriptor(path, O_RDONLY).sync();
}

}  // namespace automodel
