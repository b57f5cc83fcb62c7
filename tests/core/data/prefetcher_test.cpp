#include "core/data/prefetcher.h"

#include <atomic>

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::data {
namespace {

PreparedBatch numbered(int64_t i) {
  PreparedBatch prepared;
  prepared.batch.num_rows = i;
  return prepared;
}

TEST(Prefetcher, GivesBatchesInOrderWhateverTheWorkers) {
  for (const int64_t workers : {1, 2, 7}) {
    Prefetcher prefetcher(numbered, 3, 200, workers);
    for (int64_t i = 3; i < 200; ++i) EXPECT_EQ(prefetcher.next()->batch.num_rows, i);
    EXPECT_FALSE(prefetcher.next().has_value());
    EXPECT_FALSE(prefetcher.next().has_value());
  }
}

TEST(Prefetcher, NeverRunsFurtherAheadThanTwoBatchesAWorker) {
  std::atomic<int64_t> given{0};
  std::atomic<int64_t> furthest{0};
  Prefetcher prefetcher(
      [&](int64_t i) {
        for (int64_t seen = furthest; i - given > seen && !furthest.compare_exchange_weak(seen, i - given);) {
        }
        return numbered(i);
      },
      0,
      500,
      3);
  for (int64_t i = 0; i < 500; ++i) {
    given = i + 1;  // said before it is taken: a worker may go on at once
    prefetcher.next();
  }
  EXPECT_LE(furthest, 6);
}

TEST(Prefetcher, AnErrorComesInItsPlace) {
  const auto prepare = [](int64_t i) {
    check(i != 5, ErrorCode::kData, "row of batch ", i);
    return numbered(i);
  };
  Prefetcher prefetcher(prepare, 0, 10, 4);
  for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(prefetcher.next()->batch.num_rows, i);
  EXPECT_THROW(prefetcher.next(), Error);
  EXPECT_EQ(prefetcher.next()->batch.num_rows, 6);
}

TEST(Prefetcher, MayBeDroppedAtAnyTime) {
  for (int64_t taken = 0; taken < 20; ++taken) {
    Prefetcher prefetcher(numbered, 0, 1000, 3);
    for (int64_t i = 0; i < taken; ++i) prefetcher.next();
  }
  Prefetcher empty(numbered, 4, 4, 2);
  EXPECT_FALSE(empty.next().has_value());
}

}  // namespace
}  // namespace automodel::data
