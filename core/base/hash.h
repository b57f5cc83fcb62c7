#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace automodel {

/// XXH3-128 of bytes that come in pieces: finds every changed bit by accident, not one by intent; as fast as
/// memory. Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md.
class Hash {
 public:
  Hash();
  ~Hash();

  void add(const void* data, size_t size_bytes);

  void add(std::string_view text) { add(text.data(), text.size()); }

  /// 32 hexadecimal digits, as `xxhsum -H2` prints them, of all that was added so far.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The hash of a whole file. Throws Error(kIo).
std::string hash_file(const std::filesystem::path& path);

}  // namespace automodel
