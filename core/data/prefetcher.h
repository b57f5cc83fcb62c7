#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/data/batch.h"

namespace automodel::data {

/// A micro-batch with what was left out on the way to it.
struct PreparedBatch {
  Batch batch;
  int64_t num_skipped_rows = 0;
};

/// Prepares the micro-batches first, first + 1, ..., last - 1 on worker threads and hands them out in order,
/// whatever the number of workers. At most two batches a worker are kept ahead. Owned and called by one
/// thread.
class Prefetcher {
 public:
  /// `prepare` makes micro-batch i; several workers call it at once. What it throws, `next` throws in i's
  /// place.
  Prefetcher(std::function<PreparedBatch(int64_t)> prepare, int64_t first, int64_t last, int64_t num_workers);

  /// Waits for the batches being made, drops the others.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// nullopt behind the last.
  std::optional<PreparedBatch> next();

 private:
  struct Slot {
    PreparedBatch prepared;
    std::exception_ptr error;
  };

  void work();

  const std::function<PreparedBatch(int64_t)> prepare_;
  const int64_t last_;
  const int64_t max_ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, Slot> ready_;
  int64_t next_to_make_;
  int64_t next_to_give_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace automodel::data
