#include "core/tokenizer/text_stream.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/tokenizer/tiny_folder.h"

namespace automodel::tokenizer {
namespace {

using Ids = std::vector<int32_t>;
using Texts = std::vector<std::string>;

// Ids of the tiny folder: a, b, ab, blank, the first and the second byte of "\u00e9", <s>.
constexpr int32_t kA = 0, kB = 1, kAb = 2, kBlank = 3, kFirst = 4, kSecond = 5, kStart = 6;

class TextStreamTest : public ::testing::Test {
 protected:
  TextStreamTest() {
    folder_.write_json();
    tokenizer_.emplace(Tokenizer::load(folder_.path() / "tokenizer.json"));
  }

  /// What each id gives, then what the end gives.
  Texts stream(const Ids& ids, Texts stops = {}) {
    TextStream text(*tokenizer_, std::move(stops));
    Texts pieces;
    for (const int32_t id : ids) pieces.push_back(text.push(id));
    pieces.push_back(text.finish());
    stopped_ = text.stopped();
    return pieces;
  }

  TinyFolder folder_;
  std::optional<Tokenizer> tokenizer_;
  bool stopped_ = false;
};

TEST_F(TextStreamTest, ACharacterComesOnceItIsWhole) {
  EXPECT_EQ(stream({kA, kFirst, kSecond, kB}), (Texts{"a", "", "\u00e9", "b", ""}));
}

TEST_F(TextStreamTest, BytesThatNeverBecomeACharacterAreReplaced) {
  EXPECT_EQ(stream({kA, kFirst}), (Texts{"a", "", "\ufffd"}));
  EXPECT_EQ(stream({kFirst, kA, kSecond, kB}), (Texts{"", "\ufffda", "", "\ufffdb", ""}));
}

TEST_F(TextStreamTest, SpecialTokensHaveNoText) {
  EXPECT_EQ(stream({kStart, kA, kStart, kBlank, kStart}), (Texts{"", "a", "", " ", "", ""}));
}

TEST_F(TextStreamTest, AllPiecesTogetherAreTheTextOfAllIds) {
  uint32_t random = 1;
  for (int round = 0; round < 200; ++round) {
    Ids ids;
    for (int i = 0; i < 30; ++i)
      ids.push_back(static_cast<int32_t>((random = random * 1664525 + 1013904223) >> 24) % 7);
    std::string all;
    for (const std::string& piece : stream(ids)) all += piece;
    EXPECT_EQ(all, tokenizer_->decode(ids, true));
  }
}

TEST_F(TextStreamTest, NothingOfAStopTextIsGiven) {
  EXPECT_EQ(stream({kA, kB, kBlank, kA, kB}, {"b a"}), (Texts{"a", "", "", "", "", ""}));
  EXPECT_TRUE(stopped_);
  EXPECT_EQ(stream({kAb, kAb, kBlank, kA}, {"bb", "b "}), (Texts{"a", "ba", "", "", ""}));
  EXPECT_TRUE(stopped_);
}

TEST_F(TextStreamTest, WhatOnlyBeginsLikeAStopTextIsGivenLater) {
  EXPECT_EQ(stream({kA, kB, kA, kB}, {"abb"}), (Texts{"", "", "ab", "", "ab"}));
  EXPECT_FALSE(stopped_);
}

TEST_F(TextStreamTest, TheEarliestStopTextCounts) {
  EXPECT_EQ(stream({kAb, kBlank}, {" ", "b"}), (Texts{"a", "", ""}));
}

TEST_F(TextStreamTest, RefusesAnEmptyStopText) {
  EXPECT_THROW(TextStream(*tokenizer_, {""}), Error);
}

}  // namespace
}  // namespace automodel::tokenizer
