#include "core/data/row_loader.h"

#include <functional>
#include <set>

#include "core/data/order.h"
#include "core/data/sampler.h"
#include "tests/core/data/character_tokenizer.h"

namespace automodel::data {
namespace {

using config::DatasetConfig;

class RowLoaderTest : public WithTokenizer {
 protected:
  RowLoaderTest() : tokenizer_(make_tokenizer()) {}

  DatasetConfig dataset(const std::string& lines) const {
    DatasetConfig made;
    made.paths = {put("rows.jsonl", lines).string()};
    made.kind = config::ColumnMappedSet{.column_mapping = {{"question", "q"}, {"answer", "a"}}};
    return made;
  }

  /// Rows with answers of growing length, numbered.
  static std::string rows(int num) {
    std::string lines;
    for (int i = 0; i < num; ++i)
      lines += row("Q", "n" + std::to_string(i) + std::string(static_cast<size_t>(i % 7), '.'));
    return lines;
  }

  static std::string row(const std::string& question, const std::string& answer) {
    return "{\"q\": \"" + question + "\", \"a\": \"" + answer + "\"}\n";
  }

  std::unique_ptr<Loader> open(const DatasetConfig& set, const Loader::Options& options = {}) const {
    return open_loader(set, &tokenizer_, options);
  }

  static std::vector<Batch> epoch(Loader& loader) {
    std::vector<Batch> batches;
    while (std::optional<Batch> batch = loader.next()) batches.push_back(std::move(*batch));
    return batches;
  }

  static std::vector<int64_t> row_order(const std::vector<Batch>& batches) {
    std::vector<int64_t> order;
    for (const Batch& batch : batches) order.insert(order.end(), batch.rows.begin(), batch.rows.end());
    return order;
  }

  tokenizer::Tokenizer tokenizer_;
};

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.input_ids, b.input_ids);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.lengths, b.lengths);
}

TEST_F(RowLoaderTest, AnEpochIsTheSamplersRowsInMicroBatches) {
  const auto loader = open(dataset(rows(11)), {.local_batch_size = 4, .seed = 5});
  EXPECT_EQ(loader->num_micro_batches(), 3);
  for (int64_t e = 0; e < 3; ++e) {
    loader->start_epoch(e);
    const std::vector<Batch> batches = epoch(*loader);
    ASSERT_EQ(batches.size(), 3U);
    EXPECT_EQ(batches.back().num_rows, 3);
    EXPECT_EQ(row_order(batches), epoch_rows(11, e, {.seed = 5}));
    EXPECT_FALSE(loader->next().has_value());
  }
  const auto dropping = open(dataset(rows(11)), {.local_batch_size = 4, .drop_last = true});
  EXPECT_EQ(dropping->num_micro_batches(), 2);
  EXPECT_EQ(epoch(*dropping).size(), 2U);
}

TEST_F(RowLoaderTest, RanksShareTheRows) {
  std::set<int64_t> seen;
  for (int64_t rank = 0; rank < 3; ++rank) {
    const auto loader = open(dataset(rows(11)), {.local_batch_size = 2, .dp_rank = rank, .dp_size = 3});
    EXPECT_EQ(loader->num_micro_batches(), 2);
    for (const int64_t one : row_order(epoch(*loader))) EXPECT_TRUE(seen.insert(one).second) << one;
  }
  EXPECT_EQ(seen.size(), 9U);
  expect_has(message_of(ErrorCode::kData, [&] { open(dataset(rows(2)), {.dp_size = 3}); }), "2 rows for 3");
}

TEST_F(RowLoaderTest, TheNumberOfWorkersChangesNothing) {
  const DatasetConfig set = dataset(rows(60));
  const std::vector<Batch> one = epoch(*open(set, {.local_batch_size = 3}));
  for (const int64_t workers : {0, 2, 5}) {
    const std::vector<Batch> many = epoch(*open(set, {.local_batch_size = 3, .num_workers = workers}));
    ASSERT_EQ(many.size(), one.size());
    for (size_t i = 0; i < one.size(); ++i) expect_same(many[i], one[i]);
  }
}

TEST_F(RowLoaderTest, RestoresToTheVeryNextBatch) {
  const DatasetConfig set = dataset(rows(10));
  const Loader::Options options = {.local_batch_size = 3, .num_workers = 2};
  const auto whole = open(set, options);
  for (int64_t e = 0; e < 2; ++e) {
    whole->start_epoch(e);
    for (;;) {
      const LoaderState state = whole->state();
      const auto resumed = open(set, options);
      resumed->restore(state);
      const std::optional<Batch> expected = whole->next();
      const std::optional<Batch> got = resumed->next();
      ASSERT_EQ(got.has_value(), expected.has_value()) << state.epoch << " " << state.next_row;
      if (!expected) break;
      expect_same(*got, *expected);
      EXPECT_EQ(resumed->state().epoch, e);
      EXPECT_EQ(resumed->state().next_row, state.next_row + got->num_rows);
    }
  }
}

TEST_F(RowLoaderTest, GoesOnWithBatchesOfAnySizeBehindTheSameRow) {
  const DatasetConfig set = dataset(rows(23));
  const std::vector<int64_t> order = row_order(epoch(*open(set, {.local_batch_size = 1})));
  for (const int64_t taken : {1, 2, 7, 22}) {
    for (const int64_t size : {1, 3, 4, 50}) {
      const auto resumed = open(set, {.local_batch_size = size, .num_workers = 2});
      resumed->restore({.epoch = 0, .next_row = taken});
      EXPECT_EQ(*resumed->micro_batches_left(), (23 - taken + size - 1) / size);
      const std::vector<int64_t> seen = row_order(epoch(*resumed));
      EXPECT_EQ(seen, std::vector<int64_t>(order.begin() + taken, order.end())) << taken << " " << size;
      EXPECT_EQ(*resumed->micro_batches_left(), 0);
    }
  }
}

TEST_F(RowLoaderTest, APlaceCountsTheRowsOfAllRanks) {
  const DatasetConfig set = dataset(rows(24));
  const std::vector<int64_t> order = row_order(epoch(*open(set, {.local_batch_size = 1})));
  std::set<int64_t> seen(order.begin(), order.begin() + 8);
  for (int64_t rank = 0; rank < 4; ++rank) {
    const auto resumed = open(set, {.local_batch_size = 2, .dp_rank = rank, .dp_size = 4});
    resumed->restore({.epoch = 0, .next_row = 8});
    for (const int64_t row : row_order(epoch(*resumed))) EXPECT_TRUE(seen.insert(row).second) << row;
    EXPECT_EQ(resumed->state().next_row, 24);
  }
  EXPECT_EQ(seen.size(), 24U);
}

TEST_F(RowLoaderTest, APlaceBeyondTheEndIsTheEnd) {
  const auto loader = open(dataset(rows(10)), {.local_batch_size = 3, .drop_last = true});
  loader->restore({.epoch = 2, .next_row = 99});
  EXPECT_EQ(*loader->micro_batches_left(), 0);
  EXPECT_FALSE(loader->next().has_value());
  loader->restore({.epoch = 2, .next_row = 5});
  EXPECT_EQ(*loader->micro_batches_left(), 1);
}

TEST_F(RowLoaderTest, TheOrderChangesWithAllThatMovesRows) {
  const DatasetConfig set = dataset(rows(40));
  const auto of = [&](const DatasetConfig& one, const Loader::Options& options) {
    Order order = order_of(one, options);
    const Order own = open(one, options)->order();
    order.insert(order.end(), own.begin(), own.end());
    return order;
  };
  const Loader::Options packed = {.shuffle = false, .pack_size = 64};
  std::vector<Order> orders = {of(set, {})};
  const auto expect_new = [&](const Order& order) {
    for (const Order& other : orders) EXPECT_NE(order, other);
    orders.push_back(order);
  };
  EXPECT_EQ(of(set, {.local_batch_size = 4, .num_workers = 3}), orders.front());
  expect_new(of(set, {.seed = 43}));
  expect_new(of(set, {.shuffle = false}));
  expect_new(of(set, packed));
  expect_new(of(set, {.shuffle = false, .pack_size = 65}));
  for (const auto& change : std::vector<std::function<void(DatasetConfig&)>>{
           [](DatasetConfig& c) { c.split = "train[:50%]"; },
           [](DatasetConfig& c) { c.limit_dataset_samples = 30; },
           [](DatasetConfig& c) { c.shuffle_seed = 1; }}) {
    DatasetConfig changed = set;
    change(changed);
    expect_new(of(changed, {}));
  }
  DatasetConfig cut = set;  // shorter rows make other packs
  cut.seq_length = 8;
  cut.truncation = "longest_first";
  expect_new(of(cut, packed));
  put("rows.jsonl", rows(39) + row("Q", "another"));
  expect_new(of(set, {}));
}

TEST_F(RowLoaderTest, ARowWithoutLabelsGivesItsPlaceToTheNext) {
  const std::string lines = row("Q", "a") + row("Q", "") + row("Q", "") + row("Q", "d");
  const auto loader = open(dataset(lines), {.local_batch_size = 4, .shuffle = false});
  EXPECT_EQ(loader->next()->rows, (std::vector<int64_t>{0, 3, 3, 3}));
  EXPECT_EQ(loader->num_skipped_rows(), 3);
  const auto last = open(dataset(row("Q", "a") + row("Q", "")), {.local_batch_size = 2, .shuffle = false});
  EXPECT_EQ(last->next()->rows, (std::vector<int64_t>{0, 0}));  // behind the last row comes the first
  const auto none = open(dataset(row("Q", "") + row("Q", "")));
  expect_has(message_of(ErrorCode::kData, [&] { none->next(); }), "nor any of the other 1 has a label");
}

TEST_F(RowLoaderTest, ASquadRowWithoutLabelsStaysAndIsCounted) {
  DatasetConfig set;
  set.kind = config::SquadSet();
  set.paths = {put("squad.jsonl", R"({"context": "C", "question": "Q", "answers": {"text": []}})").string()};
  const auto loader = open(set);
  const Batch batch = *loader->next();
  EXPECT_EQ(batch.num_label_tokens, 0);
  EXPECT_EQ(batch.num_tokens, 0);
  EXPECT_EQ(loader->num_skipped_rows(), 1);
}

TEST_F(RowLoaderTest, PacksHoldTheRowsInOrderAndAreDrawnLikeRows) {
  const DatasetConfig set = dataset(rows(40));
  std::vector<Batch> single = epoch(*open(set, {.shuffle = false}));
  const Loader::Options options = {.local_batch_size = 2, .num_workers = 3, .pack_size = 24};
  const auto loader = open(set, options);
  std::vector<int64_t> seen(40, 0);
  while (std::optional<Batch> batch = loader->next()) {
    for (int64_t line = 0; line < batch->num_rows; ++line) {
      const int64_t begin = line * batch->length;
      EXPECT_LE(batch->lengths[static_cast<size_t>(line)], 24);
      int64_t row = batch->rows[static_cast<size_t>(line)];
      for (int64_t at = begin; at < begin + batch->lengths[static_cast<size_t>(line)]; ++row) {
        const Batch& one = single[static_cast<size_t>(row)];
        ++seen[static_cast<size_t>(row)];
        for (int64_t i = 0; i < one.length; ++i, ++at) {
          const auto place = static_cast<size_t>(at);
          EXPECT_EQ(batch->input_ids[place], one.input_ids[static_cast<size_t>(i)]);
          EXPECT_EQ(batch->labels[place], one.labels[static_cast<size_t>(i)]);
          EXPECT_EQ(batch->positions[place], i);
        }
      }
    }
  }
  EXPECT_EQ(seen, std::vector<int64_t>(40, 1));

  const auto whole = open(set, options), resumed = open(set, options);
  whole->next();
  resumed->restore(whole->state());
  expect_same(*resumed->next(), *whole->next());
  expect_has(message_of(ErrorCode::kData, [&] { open(set, {.pack_size = 2}); }), "packed_sequence_size");
}

TEST_F(RowLoaderTest, ABadRowIsNamedByFileLineAndField) {
  const DatasetConfig set = dataset(row("Q", "a") + "{\"q\": \"Q\", \"a\": 7}\n" + row("Q", "c"));
  const auto loader = open(set, {.shuffle = false});
  EXPECT_EQ(loader->next()->rows, (std::vector<int64_t>{0}));
  const std::string message = message_of(ErrorCode::kData, [&] { loader->next(); });
  EXPECT_EQ(message, (folder_ / "rows.jsonl").string() + ":2: \"a\" is a number; expected text");
}

TEST_F(RowLoaderTest, ATokenThatTheModelHasNoRowForIsNamedByFileAndLine) {
  DatasetConfig set = dataset(row("Q", "a") + row("Qz", "c") + row("Q", "z"));
  const auto loader = open(set, {.shuffle = false, .vocab_size = 'z'});
  EXPECT_EQ(loader->next()->rows, (std::vector<int64_t>{0}));
  const std::string message = message_of(ErrorCode::kData, [&] { loader->next(); });
  expect_has(message, "rows.jsonl:2: token 122 at position 1: the model's embedding has 122 rows");
  EXPECT_EQ(open(set, {.shuffle = false, .vocab_size = 'z' + 1})->next()->rows, (std::vector<int64_t>{0}));
  set.skip_invalid_samples = true;
  EXPECT_EQ(row_order(epoch(*open(set, {.shuffle = false, .vocab_size = 'z'}))),
            (std::vector<int64_t>{0, 0, 0}));
  expect_has(message_of(ErrorCode::kData,
                        [&] {
                          const auto packs =
                              open(dataset(row("z", "z")), {.pack_size = 64, .vocab_size = 'z'});
                          packs->next();
                        }),
             "rows.jsonl:1: token 122");
}

TEST_F(RowLoaderTest, APaddingTokenThatTheModelHasNoRowForIsFoundBeforeTheFirstBatch) {
  const tokenizer::Tokenizer tokenizer = make_tokenizer({.pad_token = "~"});  // 126
  const DatasetConfig set = dataset(row("Q", "a") + row("Q", "bb"));
  const auto open_it = [&](int64_t batch) {
    return open_loader(set, &tokenizer, {.local_batch_size = batch, .shuffle = false, .vocab_size = 126});
  };
  expect_has(message_of(ErrorCode::kData, [&] { open_it(2); }), "padding token \"~\" is 126");
  EXPECT_EQ(open_it(1)->next()->rows, (std::vector<int64_t>{0}));
}

TEST_F(RowLoaderTest, InvalidRowsAreLeftOutAndCountedWhenAsked) {
  DatasetConfig set =
      dataset("{\"q\": \"Q\",\n" + row("Q", "a") + "{\"q\": \"Q\", \"a\": 7}\n" + row("Q", "c"));
  set.skip_invalid_samples = true;
  const auto loader = open(set, {.local_batch_size = 3, .shuffle = false});
  EXPECT_EQ(loader->num_skipped_rows(), 1);  // the line that is not JSON: found on opening
  EXPECT_EQ(loader->next()->rows, (std::vector<int64_t>{0, 2, 2}));
  EXPECT_EQ(loader->num_skipped_rows(), 2);
}

}  // namespace
}  // namespace automodel::data
