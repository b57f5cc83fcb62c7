#include "core/data/collator.h"

#include <gtest/gtest.h>

namespace automodel::data {
namespace {

constexpr int32_t kNone = kIgnoreIndex;

Sample sample(std::vector<int32_t> ids, std::vector<int32_t> labels) {
  Sample made;
  made.input_ids = std::move(ids);
  made.labels = std::move(labels);
  return made;
}

TEST(Collator, PadsOnTheRightToTheLongest) {
  const Batch batch =
      collate({sample({1, 2}, {2, 3}), sample({4, 5, 6}, {kNone, 6, 7})}, {.pad_token_id = 9});
  EXPECT_EQ(batch.length, 3);
  EXPECT_EQ(batch.input_ids, (std::vector<int64_t>{1, 2, 9, 4, 5, 6}));
  EXPECT_EQ(batch.labels, (std::vector<int64_t>{2, 3, -100, -100, 6, 7}));
  EXPECT_EQ(batch.lengths, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(batch.num_label_tokens, 4);
  EXPECT_EQ(batch.num_tokens, 5);
}

TEST(Collator, PaddingToAMultipleLeavesTheCounts) {
  const std::vector<Sample> samples = {sample({1, 2, 3}, {2, 3, 4})};
  const Batch batch = collate(samples, {.pad_seq_len_divisible = 8});
  EXPECT_EQ(batch.length, 8);
  EXPECT_EQ(batch.num_tokens, 3);
  EXPECT_EQ(batch.num_label_tokens, 3);
  EXPECT_EQ(batch.lengths, (std::vector<int64_t>{3}));
}

TEST(Collator, TokensOfAPackKnowTheirRowAndPlace) {
  Sample pack = sample({1, 2, 3, 4, 5}, {2, 3, kNone, 5, 6});
  pack.document_lengths = {3, 2};
  pack.document_padding = {0, 0};
  Sample other = sample({7, 8}, {8, 9});
  other.document_lengths = {2};
  other.document_padding = {0};
  const Batch batch = collate({pack, other}, {.pad_seq_len_divisible = 6});
  EXPECT_EQ(batch.documents, (std::vector<int32_t>{0, 0, 0, 1, 1, -1, 0, 0, -1, -1, -1, -1}));
  EXPECT_EQ(batch.positions, (std::vector<int64_t>{0, 1, 2, 0, 1, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_TRUE(collate({sample({1}, {2})}, {}).documents.empty());
}

TEST(Collator, AnUnlearntTailCountsAsPadding) {
  const Batch batch = collate({sample({1, 2, 3, 4}, {kNone, 3, kNone, kNone}), sample({1}, {kNone})}, {});
  EXPECT_EQ(batch.num_tokens, 2);
  EXPECT_EQ(batch.num_label_tokens, 1);
  EXPECT_EQ(batch.lengths, (std::vector<int64_t>{4, 1}));
}

TEST(Collator, WritesTheIgnoreIndexOfTheLoss) {
  const Batch batch = collate({sample({1, 2}, {kNone, 3}), sample({1}, {2})}, {.ignore_index = -1});
  EXPECT_EQ(batch.labels, (std::vector<int64_t>{-1, 3, 2, -1}));
}

TEST(Collator, LengthsFollowTheAttentionMask) {
  Sample padded = sample({1, 2, 9, 9}, {2, kNone, kNone, kNone});
  padded.attention_mask = {1, 1, 0, 0};
  EXPECT_EQ(collate({padded}, {}).lengths, (std::vector<int64_t>{2}));
}

}  // namespace
}  // namespace automodel::data
