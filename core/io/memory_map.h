#pragma once

#include <cstddef>
#include <filesystem>

namespace automodel::io {

/// A whole file mapped read-only. The bytes stay valid as long as the object; the file must not be cut
/// meanwhile.
class MemoryMap {
 public:
  /// Throws Error(kIo) naming the path and the system's reason.
  explicit MemoryMap(const std::filesystem::path& path);
  ~MemoryMap();
  MemoryMap(MemoryMap&& other) noexcept;
  MemoryMap& operator=(MemoryMap&& other) noexcept;

  const std::byte* data() const { return data_; }

  size_t size() const { return size_; }

  /// Tells the kernel that the pages lying wholly inside [begin, begin + size) are not needed any more.
  void drop_pages(const std::byte* begin, size_t size) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace automodel::io
