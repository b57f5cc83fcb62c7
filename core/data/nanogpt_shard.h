#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/io/memory_map.h"

namespace automodel::data {

/// A nanoGPT shard, memory-mapped: 256 little-endian int32 (magic, version 1, number of tokens, bytes a
/// token), then the tokens as uint16 or uint32. Magic 278895051, or 20240520 for the older form, whose tokens
/// are always uint16.
class NanogptShard {
 public:
  /// Throws Error(kData) naming the file and the field of the header that is wrong.
  explicit NanogptShard(const std::filesystem::path& path);

  int64_t num_tokens() const { return num_tokens_; }

  int64_t token(int64_t index) const;

  /// Position of the first `token` in [begin, end), or end.
  int64_t find(int64_t token, int64_t begin, int64_t end) const;

 private:
  io::MemoryMap map_;
  std::string name_;
  int64_t num_tokens_ = 0;
  int64_t token_bytes_ = 2;
};

}  // namespace automodel::data
