#include "core/data/assistant_mask.h"

#include <gtest/gtest.h>

namespace automodel::data {
namespace {

using Spans = std::vector<std::pair<int64_t, int64_t>>;
using Mask = std::vector<uint8_t>;
using Ids = std::vector<int32_t>;

// Tokens of two characters each: 0-2, 2-4, 4-6, 6-8.
const Spans kTokens = {{0, 2}, {2, 4}, {4, 6}, {6, 8}};

TEST(AssistantMask, MarksTokensFromTheFirstToTheLastCharacter) {
  EXPECT_EQ(mask_of_spans(kTokens, {{2, 6}}), (Mask{0, 1, 1, 0}));
  EXPECT_EQ(mask_of_spans(kTokens, {{3, 5}}), (Mask{0, 1, 1, 0}));
  EXPECT_EQ(mask_of_spans(kTokens, {{2, 4}, {6, 8}}), (Mask{0, 1, 0, 1}));
  EXPECT_EQ(mask_of_spans(kTokens, {}), (Mask{0, 0, 0, 0}));
}

TEST(AssistantMask, GoesToTheEndWhereTheTextWasCut) {
  EXPECT_EQ(mask_of_spans(kTokens, {{4, 20}}), (Mask{0, 0, 1, 1}));
  EXPECT_EQ(mask_of_spans(kTokens, {{9, 12}, {2, 4}}), (Mask{0, 0, 0, 0}));
}

TEST(AssistantMask, ARenderedPrefixMayDifferInItsTerminatorOnly) {
  EXPECT_TRUE(is_rendered_prefix({1, 2}, {1, 2, 3}, std::nullopt));
  EXPECT_TRUE(is_rendered_prefix({}, {1}, std::nullopt));
  EXPECT_FALSE(is_rendered_prefix({1, 9}, {1, 2, 3}, std::nullopt));
  EXPECT_TRUE(is_rendered_prefix({1, 9}, {1, 2, 3}, 9));
  EXPECT_FALSE(is_rendered_prefix({9}, {1, 2, 3}, 9));
  EXPECT_FALSE(is_rendered_prefix({8, 9}, {1, 2, 3}, 9));
  EXPECT_FALSE(is_rendered_prefix({1, 2, 3, 9}, {1, 2, 3}, 9));
}

TEST(AssistantMask, FindsWhatTheShortenedTextLacks) {
  EXPECT_EQ(differing_span({1, 2, 3, 4}, {1, 4}), std::make_pair(int64_t{1}, int64_t{3}));
  EXPECT_EQ(differing_span({1, 2, 2, 3}, {1, 2, 3}), std::make_pair(int64_t{2}, int64_t{3}));
  EXPECT_EQ(differing_span({1, 2}, {1, 2}), std::nullopt);
  EXPECT_EQ(differing_span({1, 2}, {1, 7, 2}), std::nullopt);
}

TEST(AssistantMask, KeepsTheLastRun) {
  Ids labels = {1, 2, -100, 3, 4, -100};
  keep_last_run(labels);
  EXPECT_EQ(labels, (Ids{-100, -100, -100, 3, 4, -100}));
  Ids none = {-100, -100};
  keep_last_run(none);
  EXPECT_EQ(none, (Ids{-100, -100}));
}

}  // namespace
}  // namespace automodel::data
