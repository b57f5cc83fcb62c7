#include "core/data/nanogpt_loader.h"

#include <numeric>
#include <set>

#include "core/data/loader.h"
#include "tests/core/data/scratch.h"

namespace automodel::data {
namespace {

using config::DatasetConfig;

std::vector<uint16_t> range(int first, int last) {
  std::vector<uint16_t> tokens(static_cast<size_t>(last - first));
  std::iota(tokens.begin(), tokens.end(), static_cast<uint16_t>(first));
  return tokens;
}

class NanogptLoaderTest : public Scratch {
 protected:
  DatasetConfig dataset(const std::string& pattern, int64_t seq_len) const {
    DatasetConfig made;
    made.paths = {(folder_ / pattern).string()};
    made.kind = config::NanogptSet{.seq_len = seq_len, .bos_token = {}};
    return made;
  }

  static config::NanogptSet& of(DatasetConfig& dataset) { return std::get<config::NanogptSet>(dataset.kind); }

  /// First tokens of the next `n` samples.
  static std::vector<int64_t> firsts(Loader& loader, int64_t n) {
    std::vector<int64_t> found;
    for (int64_t i = 0; i < n; ++i) found.push_back(loader.next()->input_ids.front());
    return found;
  }

  static std::vector<int64_t> firsts(const DatasetConfig& set, int64_t n, Loader::Options options = {}) {
    const auto loader = open_loader(set, nullptr, options);
    return firsts(*loader, n);
  }
};

using Tokens = std::vector<int64_t>;

TEST_F(NanogptLoaderTest, StridesBySeqLenPlusOneAndStartsAgain) {
  put("a_0.bin", shard_of(range(0, 11)));  // 3 + 1 tokens: samples at 0 and 4; 8, 9, 10 are too few
  put("a_1.bin", shard_of(range(100, 105)));
  const DatasetConfig set = dataset("a_*.bin", 3);
  EXPECT_EQ(firsts(set, 7), (Tokens{0, 4, 100, 0, 4, 100, 0}));
  const auto loader = open_loader(set, nullptr, {.local_batch_size = 2});
  const Batch batch = *loader->next();
  EXPECT_EQ(batch.input_ids, (Tokens{0, 1, 2, 4, 5, 6}));
  EXPECT_EQ(batch.labels, (Tokens{1, 2, 3, 5, 6, 7}));
  EXPECT_EQ(batch.num_tokens, 6);
  EXPECT_EQ(batch.num_label_tokens, 6);
  EXPECT_FALSE(loader->num_micro_batches().has_value());
}

TEST_F(NanogptLoaderTest, ATokenThatTheModelHasNoRowForIsNamedByFile) {
  put("a.bin", shard_of(range(0, 12)));
  const auto loader = open_loader(dataset("a.bin", 3), nullptr, {.vocab_size = 7});
  EXPECT_EQ(loader->next()->input_ids, (Tokens{0, 1, 2}));
  // The fourth label, 7, is no input of its sample.
  const std::string message = message_of(ErrorCode::kData, [&] { loader->next(); });
  EXPECT_NE(message.find("a.bin: in the 4 tokens from 4 on: token 7 at position 2"), std::string::npos)
      << message;
}

TEST_F(NanogptLoaderTest, ReadsTheOlderFormAndWideTokens) {
  put("old.bin", shard_of(range(0, 4), 20240520));
  EXPECT_EQ(firsts(dataset("old.bin", 3), 1), (Tokens{0}));
  put("wide.bin", shard_of(std::vector<uint32_t>{70000, 70001, 70002, 70003}));
  EXPECT_EQ(firsts(dataset("wide.bin", 3), 1), (Tokens{70000}));
}

TEST_F(NanogptLoaderTest, RanksReadDisjointParts) {
  put("a_0.bin", shard_of(range(0, 8)));
  put("a_1.bin", shard_of(range(100, 108)));
  put("a_2.bin", shard_of(range(200, 208)));
  const DatasetConfig set = dataset("a_*.bin", 3);
  EXPECT_EQ(firsts(set, 5, {.dp_rank = 0, .dp_size = 2}), (Tokens{0, 4, 200, 204, 0}));
  EXPECT_EQ(firsts(set, 3, {.dp_rank = 1, .dp_size = 2}), (Tokens{100, 104, 100}));
  const DatasetConfig one = dataset("a_0.bin", 3);  // a single file is cut into equal parts
  EXPECT_EQ(firsts(one, 2, {.dp_rank = 0, .dp_size = 2}), (Tokens{0, 0}));
  EXPECT_EQ(firsts(one, 2, {.dp_rank = 1, .dp_size = 2}), (Tokens{4, 4}));
}

TEST_F(NanogptLoaderTest, AlignsToTheBosToken) {
  put("a.bin", shard_of(std::vector<uint16_t>{5, 9, 1, 2, 3, 9, 4, 9, 6, 7, 8, 9, 1}));
  DatasetConfig set = dataset("a.bin", 3);
  of(set).align_to_bos = true;
  expect_has(message_of(ErrorCode::kConfig, [&] { open_loader(set, nullptr, {}); }), "bos_token");
  of(set).bos_token = 9;
  const auto loader = open_loader(set, nullptr, {});
  EXPECT_EQ(loader->next()->input_ids, (Tokens{9, 1, 2}));
  EXPECT_EQ(loader->next()->input_ids, (Tokens{9, 4, 9}));
  EXPECT_EQ(loader->next()->input_ids, (Tokens{9, 1, 2}));  // what follows the last bos is too short
}

TEST_F(NanogptLoaderTest, ShufflesFilesAnewInEachPass) {
  for (int i = 0; i < 8; ++i) put("a_" + std::to_string(i) + ".bin", shard_of(range(10 * i, 10 * i + 4)));
  DatasetConfig set = dataset("a_*.bin", 3);
  of(set).shuffle_files = true;
  const Tokens order = firsts(set, 24, {.seed = 7});
  EXPECT_EQ(order, firsts(set, 24, {.seed = 7}));
  EXPECT_NE(order, firsts(set, 24, {.seed = 8}));
  std::set<Tokens> passes;
  for (int pass = 0; pass < 3; ++pass) {
    const Tokens one(order.begin() + 8 * pass, order.begin() + 8 * pass + 8);
    EXPECT_EQ(std::set<int64_t>(one.begin(), one.end()).size(), 8U);
    passes.insert(one);
  }
  EXPECT_EQ(passes.size(), 3U);
}

TEST_F(NanogptLoaderTest, AValidationSetEndsAfterOnePass) {
  put("a_0.bin", shard_of(range(0, 23)));
  put("a_1.bin", shard_of(range(100, 141)));
  const auto endless = open_loader(dataset("a_*.bin", 3), nullptr, {.local_batch_size = 1});
  const auto loader = open_loader(dataset("a_*.bin", 3), nullptr, {.local_batch_size = 4, .one_pass = true});
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    loader->start_epoch(0);
    int64_t rows = 0;
    while (const std::optional<Batch> batch = loader->next()) rows += batch->num_rows;
    EXPECT_EQ(rows, 23 / 4 + 41 / 4) << epoch;
  }
  EXPECT_EQ(endless->next()->num_rows, 1);
}

TEST_F(NanogptLoaderTest, RestoresToTheVeryNextBatch) {
  put("a_0.bin", shard_of(range(0, 23)));
  put("a_1.bin", shard_of(range(100, 141)));
  for (const bool aligned : {false, true}) {
    DatasetConfig set = dataset("a_*.bin", 3);
    of(set).shuffle_files = true;
    of(set).align_to_bos = aligned;
    of(set).bos_token = 104;
    const Loader::Options options = {.local_batch_size = 2};
    const auto whole = open_loader(set, nullptr, options);
    for (int64_t done = 0; done < 20; ++done) {
      const auto resumed = open_loader(set, nullptr, options);
      resumed->restore(whole->state());
      const Batch expected = *whole->next();
      EXPECT_EQ(resumed->next()->input_ids, expected.input_ids) << done << aligned;
      EXPECT_EQ(resumed->state().next_row, 2 * (done + 1));
      const auto larger = open_loader(set, nullptr, {.local_batch_size = 4});
      larger->restore({.epoch = 0, .next_row = 2 * done});
      const std::vector<int64_t> four = larger->next()->input_ids;
      EXPECT_TRUE(std::equal(expected.input_ids.begin(), expected.input_ids.end(), four.begin())) << done;
    }
  }
}

TEST_F(NanogptLoaderTest, NamesWhatIsWrongWithAShard) {
  const auto refusal = [&](const std::string& bytes) {
    put("a.bin", bytes);
    return message_of(ErrorCode::kData, [&] { open_loader(dataset("a.bin", 3), nullptr, {})->next(); });
  };
  const std::string good = shard_of(range(0, 8));
  expect_has(refusal("short"), "a.bin: 5 bytes");
  expect_has(refusal(good.substr(0, good.size() - 2)), "promises 8 tokens, the file holds 7");
  std::string bad = good;
  bad[0] = 'x';
  expect_has(refusal(bad), "magic number");
  bad = good;
  bad[4] = 2;
  expect_has(refusal(bad), "version 2");
  bad = good;
  bad[12] = 8;
  expect_has(refusal(bad), "8 bytes a token");
  bad = good;
  bad[11] = static_cast<char>(0xff);
  expect_has(refusal(bad), "tokens");
  expect_has(refusal(shard_of(range(0, 3))), "no sample of 4 tokens");
  expect_has(refusal(shard_of(std::vector<uint32_t>{0xffffffff, 0, 0, 0})), "token 0 is 4294967295");
  expect_has(message_of(ErrorCode::kData, [&] { open_loader(dataset("none_*.bin", 3), nullptr, {}); }),
             "none_*.bin");
}

}  // namespace
}  // namespace automodel::data
