#include "core/data/packing.h"

#include <gtest/gtest.h>

#include "core/data/collator.h"

namespace automodel::data {
namespace {

using Rows = std::vector<std::vector<int64_t>>;

Rows rows_of(const PackPlan& plan) {
  Rows rows;
  for (const Pack& pack : plan.packs) rows.push_back(pack.rows);
  return rows;
}

TEST(Packing, ARowJoinsTheOpenPackOrOpensTheNext) {
  const PackPlan plan = plan_packs({4, 3, 3, 8, 1, 9, 2, 10}, 10, 0);
  EXPECT_EQ(rows_of(plan), (Rows{{0, 1, 2}, {3, 4}, {5}, {6}, {7}}));
  EXPECT_EQ(plan.packs[1].length, 9);
  EXPECT_EQ(plan.num_too_long, 0);
}

TEST(Packing, RowsLongerThanAPackAreLeftOutAndCounted) {
  const PackPlan plan = plan_packs({4, 11, 5, 12}, 10, 0);
  EXPECT_EQ(rows_of(plan), (Rows{{0, 2}}));
  EXPECT_EQ(plan.num_too_long, 2);
  EXPECT_TRUE(plan_packs({11}, 10, 0).packs.empty());
}

TEST(Packing, SoManyPacksAndNoMore) {
  EXPECT_EQ(rows_of(plan_packs({6, 6, 4, 6}, 10, 2)), (Rows{{0}, {1, 2}}));
}

TEST(Packing, JoinedRowsKeepTheirTokensAndLengths) {
  Sample first, second;
  first.input_ids = {1, 2, 3};
  first.labels = {2, 3, 4};
  first.row = 7;
  second.input_ids = {5, 6};
  second.labels = {-100, 7};
  second.row = 8;
  const Sample joined = join_documents({first, second});
  EXPECT_EQ(joined.input_ids, (std::vector<int32_t>{1, 2, 3, 5, 6}));
  EXPECT_EQ(joined.labels, (std::vector<int32_t>{2, 3, 4, -100, 7}));
  EXPECT_EQ(joined.document_lengths, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(joined.document_padding, (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(joined.row, 7);
}

TEST(Packing, PaddingOfARowIsOfNoDocument) {
  Sample padded, other;
  padded.input_ids = {1, 2, 0, 0};
  padded.labels = {2, kIgnoreIndex, kIgnoreIndex, kIgnoreIndex};
  padded.attention_mask = {1, 1, 0, 0};
  other.input_ids = {5, 6};
  other.labels = {6, 7};
  const Batch batch = collate({join_documents({padded, other})}, {.pad_seq_len_divisible = 8});
  EXPECT_EQ(batch.input_ids, (std::vector<int64_t>{1, 2, 0, 0, 5, 6, 0, 0}));
  EXPECT_EQ(batch.documents, (std::vector<int32_t>{0, 0, -1, -1, 1, 1, -1, -1}));
  EXPECT_EQ(batch.positions, (std::vector<int64_t>{0, 1, 0, 0, 0, 1, 0, 0}));
}

}  // namespace
}  // namespace automodel::data
