#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/io/memory_map.h"

namespace automodel::io {

/// A text file as bytes: memory-mapped; a gzip file (known by its first bytes, not its name) is decompressed
/// once into an unnamed temporary file, so that neither kind occupies the heap. Immutable: any thread may
/// read.
class TextFile {
 public:
  /// Throws Error(kIo) when the file or the temporary one cannot be used, and Error(kData) for a broken or
  /// truncated gzip stream and for UTF-16.
  explicit TextFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }

  /// Without a UTF-8 byte order mark. Lives as long as the object.
  std::string_view text() const { return text_; }

  /// "path:line" of a byte offset into `text()`, lines counted from 1. Reads the file up to there.
  std::string place(size_t offset) const;

 private:
  std::filesystem::path path_;
  MemoryMap map_;
  std::string_view text_;
};

}  // namespace automodel::io
