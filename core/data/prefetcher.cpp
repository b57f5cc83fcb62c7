#include "core/data/prefetcher.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace automodel::data {

Prefetcher::Prefetcher(std::function<PreparedBatch(int64_t)> prepare,
                       int64_t first,
                       int64_t last,
                       int64_t num_workers)
    : prepare_(std::move(prepare)),
      last_(last),
      max_ahead_(2 * num_workers),
      next_to_make_(first),
      next_to_give_(first) {
  ensure(num_workers > 0, "a prefetcher without workers");
  const int64_t num_threads = std::clamp<int64_t>(last - first, 0, num_workers);
  for (int64_t i = 0; i < num_threads; ++i) workers_.emplace_back([this] { work(); });
}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Prefetcher::work() {
  for (;;) {
    int64_t index = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] {
        return stopping_ || next_to_make_ == last_ || next_to_make_ < next_to_give_ + max_ahead_;
      });
      if (stopping_ || next_to_make_ == last_) return;
      index = next_to_make_++;
    }
    Slot slot;
    try {
      slot.prepared = prepare_(index);
    } catch (...) {
      slot.error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      ready_.emplace(index, std::move(slot));
    }
    changed_.notify_all();
  }
}

std::optional<PreparedBatch> Prefetcher::next() {
  if (next_to_give_ == last_) return std::nullopt;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_.contains(next_to_give_); });
  Slot slot = std::move(ready_.extract(next_to_give_).mapped());
  ++next_to_give_;
  lock.unlock();
  changed_.notify_all();
  if (slot.error) std::rethrow_exception(slot.error);
  return std::move(slot.prepared);
}

}  // namespace automodel::data
