#include "core/data/python_random.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "core/base/error.h"

namespace automodel::data {
namespace {

/// MT19937 seeded by an array of words (Matsumoto's init_by_array), as CPython does; std::mt19937 seeds
/// otherwise.
class PythonRandom {
 public:
  explicit PythonRandom(int64_t seed) {
    const uint64_t value = seed < 0 ? 0 - static_cast<uint64_t>(seed) : static_cast<uint64_t>(seed);
    std::vector<uint32_t> key = {static_cast<uint32_t>(value)};
    if (value >> 32 != 0) key.push_back(static_cast<uint32_t>(value >> 32));
    seed_by_array(key);
  }

  /// A number of `bits` random bits, 1 to 32.
  uint32_t bits(int bits) { return next() >> (32 - bits); }

 private:
  static constexpr uint32_t kSize = 624;

  void seed_by_array(const std::vector<uint32_t>& key) {
    state_[0] = 19650218;
    for (uint32_t i = 1; i < kSize; ++i)
      state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
    uint32_t i = 1;
    uint32_t j = 0;
    const auto advance = [&] {
      if (++i == kSize) {
        state_[0] = state_[kSize - 1];
        i = 1;
      }
    };
    for (uint32_t k = 0; k < kSize; ++k) {  // a key is never longer than the state
      state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525U)) + key[j] + j;
      advance();
      j = (j + 1) % static_cast<uint32_t>(key.size());
    }
    for (uint32_t k = 1; k < kSize; ++k) {
      state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941U)) - i;
      advance();
    }
    state_[0] = 0x80000000U;
  }

  uint32_t next() {
    if (position_ == kSize) refill();
    uint32_t y = state_[position_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    return y ^ (y >> 18);
  }

  void refill() {
    for (uint32_t k = 0; k < kSize; ++k) {
      const uint32_t y = (state_[k] & 0x80000000U) | (state_[(k + 1) % kSize] & 0x7fffffffU);
      state_[k] = state_[(k + 397) % kSize] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908b0dfU : 0);
    }
    position_ = 0;
  }

  std::array<uint32_t, kSize> state_{};
  uint32_t position_ = kSize;
};

}  // namespace

std::vector<int64_t> python_shuffle(int64_t n, int64_t seed) {
  ensure(n >= 0 && n < int64_t{1} << 32, "cannot shuffle ", n, " items");
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  PythonRandom random(seed);
  for (int64_t i = n - 1; i >= 1; --i) {
    const auto bound = static_cast<uint64_t>(i) + 1;
    const int bits = std::bit_width(bound);
    uint64_t j = random.bits(bits);
    while (j >= bound) j = random.bits(bits);
    std::swap(order[static_cast<size_t>(i)], order[j]);
  }
  return order;
}

}  // namespace automodel::data
