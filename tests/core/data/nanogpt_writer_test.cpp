#include "core/data/nanogpt_writer.h"

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"

namespace automodel::data {
namespace {

class NanogptWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("nanogpt_writer_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string prefix() const { return (folder_ / "sub" / "text").string(); }

  std::filesystem::path folder_;
};

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

TEST_F(NanogptWriterTest, HoldsMagicVersionCountAndWidthThenTheTokens) {
  NanogptWriter writer(prefix(), 50257, 100);
  writer.add({1, 258});
  writer.add({50256});
  writer.close();
  ASSERT_EQ(writer.shards().size(), 1u);
  const std::string content = read_file(writer.shards()[0]);
  ASSERT_EQ(content.size(), 256u * 4 + 3 * 2);
  EXPECT_EQ(content.substr(0, 20),
            bytes({0xCB, 0x99, 0x9F, 0x10, 1, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}));  // 278895051
  EXPECT_EQ(content.substr(1024), bytes({1, 0, 2, 1, 0x50, 0xC4}));
}

TEST_F(NanogptWriterTest, LargeVocabulariesTakeFourBytesAToken) {
  NanogptWriter writer(prefix(), 128256, 100);
  writer.add({128000});
  writer.close();
  EXPECT_EQ(read_file(writer.shards().at(0)).substr(1024), bytes({0x00, 0xF4, 0x01, 0x00}));
}

TEST_F(NanogptWriterTest, ADocumentContinuesInTheNextShard) {
  std::vector<int32_t> ids(25);
  std::iota(ids.begin(), ids.end(), 0);
  NanogptWriter writer(prefix(), 1000, 10);
  writer.add(ids);
  writer.close();
  ASSERT_EQ(writer.shards().size(), 3u);
  EXPECT_EQ(writer.shards()[2].filename(), "text_000002.bin");
  EXPECT_EQ(read_file(writer.shards()[1]).substr(1024, 2), bytes({10, 0}));
  EXPECT_EQ(read_file(writer.shards()[2]).substr(8, 4), bytes({5, 0, 0, 0}));
  EXPECT_EQ(writer.num_tokens(), 25);
}

TEST_F(NanogptWriterTest, ShardsOfALongerSetBeforeAreRemoved) {
  const auto write = [&](size_t num_tokens) {
    NanogptWriter writer(prefix(), 1000, 10);
    writer.add(std::vector<int32_t>(num_tokens, 7));
    return writer.close();
  };
  EXPECT_TRUE(write(35).empty());
  const auto removed = write(12);
  ASSERT_EQ(removed.size(), 2u);
  EXPECT_EQ(removed[0].filename(), "text_000002.bin");
  EXPECT_FALSE(std::filesystem::exists(removed[0]));
  EXPECT_TRUE(std::filesystem::exists(prefix() + "_000001.bin"));
}

TEST_F(NanogptWriterTest, WhatIsNotClosedLeavesNoFile) {
  {
    NanogptWriter writer(prefix(), 1000, 10);
    writer.add({1, 2, 3});
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "sub"));
}

TEST_F(NanogptWriterTest, WritesTheReferencesOwnShardToTheByte) {
  const char* shared = std::getenv("AUTOMODEL_SHARED");
  const std::filesystem::path file =
      std::filesystem::path(shared ? shared : "../shared") / "golden/inputs/data/nanogpt/gsm8k_train_000.bin";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "../shared/golden is absent";
  const std::string expected = read_file(file);
  std::vector<int32_t> ids;
  for (size_t i = 1024; i < expected.size(); i += 2) {
    ids.push_back(static_cast<unsigned char>(expected[i]) | static_cast<unsigned char>(expected[i + 1]) << 8);
  }
  NanogptWriter writer(prefix(), 2003, 1 << 20);
  writer.add(ids);
  writer.close();
  EXPECT_TRUE(read_file(writer.shards().at(0)) == expected);
}

}  // namespace
}  // namespace automodel::data
