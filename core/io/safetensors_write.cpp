#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/safetensors.h"

namespace automodel::io {
namespace {

int64_t bytes_of(const TensorToWrite& tensor) {
  int64_t bytes = size_of(tensor.dtype);
  for (const int64_t dim : tensor.shape) {
    check(dim >= 0 && !__builtin_mul_overflow(bytes, dim, &bytes),
          ErrorCode::kInvalidArgument,
          "tensor \"",
          tensor.name,
          "\": impossible shape");
  }
  return bytes;
}

/// Wide elements first, else the given order: every tensor then starts at a multiple of its element size,
/// without which PyTorch cannot view it in place.
std::vector<TensorToWrite> aligned_order(std::vector<TensorToWrite> tensors) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return size_of(a.dtype) > size_of(b.dtype);
  });
  return tensors;
}

/// The eight bytes of length and the padded JSON.
std::string header_of(const std::vector<TensorToWrite>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string> names = {"__metadata__"};
  int64_t begin = 0;
  for (const TensorToWrite& tensor : tensors) {
    check(names.insert(tensor.name).second,
          ErrorCode::kInvalidArgument,
          "tensor \"",
          tensor.name,
          "\" is to be written twice, or has a reserved name");
    const int64_t end = begin + bytes_of(tensor);
    // push_back on the object: operator[] would search all earlier names each time.
    header.push_back({tensor.name,
                      {{"dtype", safetensors_name(tensor.dtype)},
                       {"shape", tensor.shape},
                       {"data_offsets", {begin, end}}}});
    begin = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i)
    length[i] = static_cast<char>(static_cast<uint64_t>(text.size()) >> (8 * i) & 0xff);
  return length + text;
}

void write_all(int fd, const std::filesystem::path& path, const char* data, int64_t size) {
  while (size > 0) {
    const ssize_t put = ::write(fd, data, static_cast<size_t>(size));
    if (put < 0 && errno == EINTR) continue;
    check(put >= 0, ErrorCode::kIo, path.string(), ": cannot write: ", std::strerror(errno));
    data += put;
    size -= put;
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<TensorToWrite>& given,
                       const std::map<std::string, std::string>& metadata) {
  const std::vector<TensorToWrite> tensors = aligned_order(given);
  const std::string header = header_of(tensors, metadata);
  // A neighbour, renamed when complete: a reader that has the old file mapped keeps it whole.
  std::filesystem::path temporary = path;
  temporary += ".tmp." + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  check(fd >= 0, ErrorCode::kIo, temporary.string(), ": cannot create: ", std::strerror(errno));
  try {
    write_all(fd, path, header.data(), static_cast<int64_t>(header.size()));
    for (const TensorToWrite& tensor : tensors) {
      const void* data = tensor.fetch ? tensor.fetch() : tensor.data;
      write_all(fd, path, static_cast<const char*>(data), bytes_of(tensor));
    }
    const bool synced = ::fsync(fd) == 0;
    check(synced, ErrorCode::kIo, path.string(), ": cannot sync: ", std::strerror(errno));
    const bool renamed = ::rename(temporary.c_str(), path.c_str()) == 0;
    check(renamed, ErrorCode::kIo, path.string(), ": cannot put in place: ", std::strerror(errno));
  } catch (...) {
    ::close(fd);
    ::unlink(temporary.c_str());
    throw;
  }
  ::close(fd);
  fsync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

}  // namespace automodel::io
