#include "core/data/mock_loader.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace automodel::data {
namespace {

using Ids = std::vector<int64_t>;

config::DatasetConfig mock(int64_t vocab_size, int64_t seed) {
  config::DatasetConfig dataset;
  dataset.kind = config::MockSet{
      .vocab_size = vocab_size, .seq_len = 5, .num_samples = 3, .batch_size = 2, .seed = seed};
  return dataset;
}

// Written down from torch 2.11: torch.randint(0, vocab_size, (2, 5), generator=g), twice.
const Ids kFirst = {44, 39, 33, 60, 63, 79, 27, 3, 97, 83};
const Ids kSecond = {1, 66, 56, 99, 78, 76, 56, 68, 94, 33};
const Ids kLarge = {15466, 40984, 16889, 137219, 56632, 113736, 32000, 67477, 9469, 149395};

TEST(MockLoader, DrawsTheTokensOfTorch) {
  MockLoader loader(mock(100, 0), {});
  EXPECT_EQ(loader.next()->input_ids, kFirst);
  EXPECT_EQ(loader.next()->input_ids, kSecond);
  EXPECT_EQ(MockLoader(mock(151936, 3), {}).next()->input_ids, kLarge);
}

TEST(MockLoader, EachTokenIsTheLabelOfTheOneBefore) {
  const Batch batch = *MockLoader(mock(100, 0), {}).next();
  EXPECT_EQ(batch.labels, (Ids{39, 33, 60, 63, -100, 27, 3, 97, 83, -100}));
  EXPECT_EQ(batch.num_label_tokens, 8);
  EXPECT_EQ(batch.lengths, (Ids{5, 5}));
  EXPECT_EQ(batch.rows, (Ids{0, 1}));
}

TEST(MockLoader, MoreTokensThanTheModelHasRowsAreRefused) {
  EXPECT_THROW(open_loader(mock(100, 0), nullptr, {.vocab_size = 99}), Error);
  EXPECT_NO_THROW(open_loader(mock(100, 0), nullptr, {.vocab_size = 100}));
}

TEST(MockLoader, ARankHasItsOwnSeed) {
  Loader::Options options;
  options.dp_rank = 3;
  options.dp_size = 4;
  EXPECT_EQ(MockLoader(mock(151936, 0), options).next()->input_ids, kLarge);
}

TEST(MockLoader, EpochsAreAlikeAndEnd) {
  MockLoader loader(mock(100, 0), {});
  EXPECT_EQ(*loader.num_micro_batches(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(loader.next().has_value());
  EXPECT_FALSE(loader.next().has_value());
  loader.start_epoch(1);
  EXPECT_EQ(loader.next()->input_ids, kFirst);
}

TEST(MockLoader, ResumesWithTheNextMicroBatch) {
  MockLoader loader(mock(100, 0), {});
  const auto first = loader.next();
  loader.restore(loader.state());
  EXPECT_EQ(loader.next()->input_ids, kSecond);
  loader.restore({.epoch = 0, .next_row = 1000});
  EXPECT_EQ(*loader.micro_batches_left(), 0);
}

}  // namespace
}  // namespace automodel::data
