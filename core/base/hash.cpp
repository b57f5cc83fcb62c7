#include "core/base/hash.h"

#include <array>
#include <cstdio>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/files.h"

namespace automodel {

struct Hash::State {
  XXH3_state_t xxh;
};

Hash::Hash() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}

Hash::~Hash() = default;

void Hash::add(const void* data, size_t size_bytes) {
  XXH3_128bits_update(&state_->xxh, data, size_bytes);
}

std::string Hash::hex() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(&state_->xxh);
  std::array<char, 33> text{};
  std::snprintf(text.data(),
                text.size(),
                "%016llx%016llx",
                static_cast<unsigned long long>(digest.high64),
                static_cast<unsigned long long>(digest.low64));
  return text.data();
}

std::string hash_file(const std::filesystem::path& path) {
  Hash hash;
  read_blocks(path, [&](std::string_view block) { hash.add(block); });
  return hash.hex();
}

}  // namespace automodel
