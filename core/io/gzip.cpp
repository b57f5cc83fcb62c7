#include "core/io/gzip.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <vector>

#include <unistd.h>
#include <zlib.h>

#include "core/base/error.h"

namespace automodel::io {
namespace {

constexpr size_t kBlockBytes = 1 << 18;

/// A temporary file: named only while it is being written.
class TemporaryFile {
 public:
  TemporaryFile() {
    std::string name = (std::filesystem::temp_directory_path() / "automodel.XXXXXX").string();
    fd_ = ::mkstemp(name.data());
    check(fd_ >= 0, ErrorCode::kIo, name, ": cannot create a temporary file: ", std::strerror(errno));
    path_ = name;
  }

  ~TemporaryFile() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void append(const unsigned char* data, size_t size) {
    while (size > 0) {
      const ssize_t put = ::write(fd_, data, size);
      if (put < 0 && errno == EINTR) continue;
      check(put > 0,
            ErrorCode::kIo,
            path_.string(),
            ": cannot write decompressed data: ",
            std::strerror(errno),
            "; set TMPDIR to a folder with more room");
      data += put;
      size -= static_cast<size_t>(put);
    }
  }

 private:
  int fd_ = -1;
  std::filesystem::path path_;
};

/// zlib's inflater for one gzip stream, freed on every way out.
struct Inflater {
  z_stream stream{};

  Inflater() { check(inflateInit2(&stream, 15 + 16) == Z_OK, ErrorCode::kInternal, "zlib does not start"); }

  ~Inflater() { inflateEnd(&stream); }

  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

MemoryMap gunzip(std::string_view bytes, const std::string& origin) {
  TemporaryFile out;
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::vector<unsigned char> block(kBlockBytes);
  size_t taken = 0;
  for (;;) {
    if (stream.avail_in == 0 && taken < bytes.size()) {
      const size_t size = std::min<size_t>(bytes.size() - taken, 1U << 30);  // avail_in has 32 bits
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));
      stream.avail_in = static_cast<uInt>(size);
      taken += size;
    }
    stream.next_out = block.data();
    stream.avail_out = static_cast<uInt>(block.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.append(block.data(), block.size() - stream.avail_out);
    if (status == Z_OK) continue;
    const size_t rest = stream.avail_in + (bytes.size() - taken);
    if (status == Z_STREAM_END) {
      // A gzip file may hold several members and, on tapes, zeros behind the last.
      const std::string_view behind = bytes.substr(bytes.size() - rest);
      if (behind.find_first_not_of('\0') == std::string_view::npos) break;
      check(
          is_gzip(behind), ErrorCode::kData, origin, ": ", rest, " bytes behind the gzip data are not gzip");
      inflateReset(&stream);
      continue;
    }
    check(status != Z_BUF_ERROR || rest > 0,
          ErrorCode::kData,
          origin,
          ": truncated gzip file; copy or download it again");
    fail(ErrorCode::kData,
         origin,
         ": broken gzip data: ",
         stream.msg != nullptr ? stream.msg : "unknown cause");
  }
  return MemoryMap(out.path());
}

}  // namespace automodel::io
