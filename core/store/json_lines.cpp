#include "core/store/json_lines.h"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/base/error.h"

namespace automodel::store {
namespace {

bool ends_inside_a_line(int fd) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  char last = '\n';
  return size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

JsonLines::JsonLines(std::filesystem::path path) : path_(std::move(path)) {
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path());
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  check(fd_ >= 0, ErrorCode::kIo, path_.string(), ": cannot open for append: ", std::strerror(errno));
}

JsonLines::~JsonLines() {
  ::close(fd_);
}

void JsonLines::append(const nlohmann::ordered_json& record) {
  std::string line = ends_inside_a_line(fd_) ? "\n" : "";
  line += python_json(record) + "\n";
  const off_t size = ::lseek(fd_, 0, SEEK_END);
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t put = ::write(fd_, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const std::string reason = std::strerror(errno);
      (void)!::ftruncate(fd_, size);  // no half of a line
      fail(ErrorCode::kIo, path_.string(), ": cannot append: ", reason);
    }
    rest.remove_prefix(static_cast<size_t>(put));
  }
}

std::string python_json(const nlohmann::ordered_json& value) {
  if (value.is_object()) {
    std::string text = "{";
    for (const auto& [key, item] : value.items()) {
      if (text.size() > 1) text += ", ";
      text += nlohmann::ordered_json(key).dump() + ": " + python_json(item);
    }
    return text + "}";
  }
  if (value.is_array()) {
    std::string text = "[";
    for (const auto& item : value) {
      if (text.size() > 1) text += ", ";
      text += python_json(item);
    }
    return text + "]";
  }
  return value.dump();
}

}  // namespace automodel::store
