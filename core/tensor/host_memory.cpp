#include "core/tensor/host_memory.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <mutex>
#include <new>
#include <unordered_map>

#include <malloc.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/alloc_cpu.h>

namespace automodel::tensor {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kSmallest = size_t{4} << 20;  ///< of a mapping of its own
constexpr size_t kGranule = size_t{64} << 10;  ///< sizes are rounded up to it
constexpr size_t kMostFree = size_t{1} << 30;  ///< bytes kept for reuse

size_t round_up(size_t bytes, size_t to) {
  return (bytes + to - 1) / to * to;
}

/// The address sanitizer, where it is built in, refuses accesses to kept blocks and behind the bytes asked
/// for.
void forbid_access([[maybe_unused]] const void* at, [[maybe_unused]] size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  __asan_poison_memory_region(at, bytes);
#endif
}

void allow_access([[maybe_unused]] const void* at, [[maybe_unused]] size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(at, bytes);
#endif
}

/// Zeroed memory at a multiple of the huge page; its whole huge pages are asked for as such. Null when there
/// is none.
void* map_aligned(size_t bytes) {
  const size_t reserved = bytes + kHugePage;
  void* mapped = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const auto start = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t begin = round_up(start, kHugePage);
  if (begin > start) ::munmap(mapped, begin - start);
  ::munmap(reinterpret_cast<void*>(begin + bytes), start + reserved - begin - bytes);
  // Advice only: when the kernel declines, nothing is wrong.
  ::madvise(reinterpret_cast<void*>(begin), bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return reinterpret_cast<void*>(begin);
}

/// Large blocks by the system's pages, freed ones kept; small ones as LibTorch does. Any thread.
class HostPool final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const bool large = bytes >= kSmallest;
    void* block = large ? take(round_up(bytes, kGranule)) : c10::alloc_cpu(bytes);
    if (large) allow_access(block, bytes);
    return {block, block, &HostPool::release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &HostPool::release; }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  static HostPool& instance() {
    static auto* const kPool = new HostPool();  // outlives every tensor
    return *kPool;
  }

 private:
  struct Block {
    void* at;
    size_t bytes;
  };

  static void release(void* block) {
    if (block != nullptr && !instance().give_back(block)) c10::free_cpu(block);
  }

  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      const bool fits = it->bytes >= bytes && it->bytes - bytes <= bytes / 4;
      if (fits && (best == free_.end() || it->bytes < best->bytes)) best = it;
    }
    Block block{nullptr, bytes};
    if (best != free_.end()) {
      block = *best;
      free_.erase(best);
      free_bytes_ -= block.bytes;
    } else {
      shrink(kMostFree);
      block.at = map_aligned(bytes);
      if (block.at == nullptr) shrink(0);
      if (block.at == nullptr) block.at = map_aligned(bytes);
      if (block.at == nullptr) throw std::bad_alloc();
      forbid_access(block.at, block.bytes);
    }
    used_[block.at] = block.bytes;
    return block.at;
  }

  /// False when the block is not of this pool.
  bool give_back(void* at) {
    if (reinterpret_cast<uintptr_t>(at) % kHugePage != 0) return false;
    const std::lock_guard lock(mutex_);
    const auto found = used_.find(at);
    if (found == used_.end()) return false;
    forbid_access(at, found->second);
    free_.push_back({at, found->second});
    free_bytes_ += found->second;
    used_.erase(found);
    shrink(kMostFree);
    return true;
  }

  void shrink(size_t most) {
    while (free_bytes_ > most) {
      const Block oldest = free_.front();
      free_.pop_front();
      free_bytes_ -= oldest.bytes;
      allow_access(oldest.at, oldest.bytes);
      ::munmap(oldest.at, oldest.bytes);
    }
  }

  std::mutex mutex_;
  std::unordered_map<void*, size_t> used_;
  std::deque<Block> free_;  ///< the longest unused first
  size_t free_bytes_ = 0;
};

}  // namespace

void keep_host_memory() {
#ifdef __GLIBC__
  constexpr int kLargestThreshold = 32 << 20;  // more is refused
  mallopt(M_MMAP_THRESHOLD, kLargestThreshold);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
  c10::SetAllocator(c10::DeviceType::CPU, &HostPool::instance());
}

at::Tensor zeros(int64_t numel, const at::TensorOptions& options) {
  const size_t bytes = static_cast<size_t>(numel) * options.dtype().itemsize();
  if (!options.device().is_cpu() || bytes < kSmallest) return at::zeros({numel}, options);
  void* block = map_aligned(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return at::from_blob(block, {numel}, [bytes](void* mapped) { ::munmap(mapped, bytes); }, options);
}

}  // namespace automodel::tensor
