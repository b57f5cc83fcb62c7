#include "core/data/plain_text.h"

#include <functional>
#include <set>

#include "core/data/order.h"
#include "core/data/sampler.h"
#include "tests/core/data/character_tokenizer.h"

namespace automodel::data {
namespace {

using config::DatasetConfig;
using config::PlainTextSet;

/// Every character is a token; shown: <s> ^, </s> $, no label _. tests/tokenizer/plain_text_test.py compares
/// with group_texts.
class PlainTextTest : public WithTokenizer {
 protected:
  PlainTextTest() : tokenizer_(make_tokenizer()) {}

  DatasetConfig dataset(const std::vector<std::string>& names, int64_t seq_length) const {
    DatasetConfig made;
    for (const std::string& name : names) made.paths.push_back((folder_ / name).string());
    made.kind = PlainTextSet();
    made.split = "train";
    made.seq_length = seq_length;
    return made;
  }

  /// Inputs and labels of all rows.
  static std::vector<std::string> rows(const RowSet& set) {
    std::vector<std::string> found;
    for (int64_t row = 0; row < set.num_rows(); ++row) {
      const Sample sample = set.sample(row, 0);
      EXPECT_EQ(sample.row, row);
      found.push_back(shown(sample.input_ids) + "|" + shown(sample.labels));
    }
    return found;
  }

  std::vector<std::string> rows(const DatasetConfig& set) const {
    return rows(PlainTextRows(set, tokenizer_));
  }

  static std::string log_of(const std::function<void()>& call) {
    testing::internal::CaptureStderr();
    call();
    return testing::internal::GetCapturedStderr();
  }

  std::unique_ptr<Loader> open(const DatasetConfig& set, const Loader::Options& options = {}) const {
    return open_loader(set, &tokenizer_, options);
  }

  tokenizer::Tokenizer tokenizer_;
};

using Rows = std::vector<std::string>;

TEST_F(PlainTextTest, RowsCarryOnWhereTheLastEnded) {
  put("a.txt", "abcde");
  put("b.txt", "fgh");
  // abcde$fgh$: the labels of a row end with the first token of the next.
  EXPECT_EQ(rows(dataset({"a.txt", "b.txt"}, 4)), (Rows{"abcd|bcde", "e$fg|$fgh"}));
  const std::string log = log_of([&] { rows(dataset({"a.txt", "b.txt"}, 4)); });
  expect_has(log, "Joined 2 documents with 10 tokens: 2 rows of 4; tokens left out at the end: 2");
  EXPECT_EQ(rows(dataset({"a.txt", "b.txt"}, 5)), (Rows{"abcde|bcde$", "$fgh$|fgh$_"}));
  EXPECT_EQ(rows(dataset({"a.txt", "b.txt"}, 10)), (Rows{"abcde$fgh$|bcde$fgh$_"}));
  expect_has(message_of(ErrorCode::kData, [&] { rows(dataset({"a.txt", "b.txt"}, 11)); }),
             "2 documents with 10 tokens, which do not fill a row of dataset.seq_length 11");
}

TEST_F(PlainTextTest, DocumentsKeepTheTokenizersSpecialTokensAndEndOnce) {
  put("a.txt", "ab");
  DatasetConfig set = dataset({"a.txt", "a.txt"}, 3);
  const auto of = [&](const CharacterTokenizer& options) {
    const tokenizer::Tokenizer tokenizer = make_tokenizer(options);
    return rows(PlainTextRows(set, tokenizer));
  };
  EXPECT_EQ(of({}), (Rows{"ab$|b$a", "ab$|b$_"}));
  EXPECT_EQ(of({.adds_bos = true}), (Rows{"^ab|ab$", "$^a|^ab"}));
  EXPECT_EQ(of({.adds_bos = true, .adds_eos = true}), of({.adds_bos = true}));
  std::get<PlainTextSet>(set.kind).append_eos = false;
  EXPECT_EQ(of({}), (Rows{"aba|bab"}));
}

TEST_F(PlainTextTest, DocumentsAreFilesPartsOfFilesOrRows) {
  put("a.txt", "ab\n\ncd");
  put("b.jsonl", "{\"id\": 1, \"text\": \"ef\"}\n{\"text\": \" \"}\n{\"text\": \"gh\"}\n");
  DatasetConfig set = dataset({"a.txt", "b.jsonl"}, 2);
  std::get<PlainTextSet>(set.kind).document_separator = "\n\n";
  EXPECT_EQ(rows(set), (Rows{"ab|b$", "$c|cd", "d$|$e", "ef|f$", "$g|gh", "h$|$_"}));
  set.split = "train[1:3]";  // documents, of which a slice takes the second and third
  EXPECT_EQ(rows(set), (Rows{"cd|d$", "$e|ef", "f$|$_"}));
  const PlainTextRows opened(set, tokenizer_);
  EXPECT_EQ(opened.place(0), (folder_ / "a.txt:3").string());
  EXPECT_EQ(opened.place(2), (folder_ / "b.jsonl:1").string());
}

TEST_F(PlainTextTest, AFolderGivesItsTextFilesToo) {
  put("texts/a.txt", "ab");
  put("texts/more/b.jsonl", "{\"text\": \"cd\"}\n");
  put("texts/README.md", "xx");
  EXPECT_EQ(rows(dataset({"texts"}, 6)), (Rows{"ab$cd$|b$cd$_"}));
  EXPECT_EQ(rows(dataset({"texts/*.txt"}, 3)), (Rows{"ab$|b$_"}));
  DatasetConfig columns = dataset({"texts"}, 6);
  columns.kind = config::ColumnMappedSet{.column_mapping = {{"question", "text"}, {"answer", "text"}}};
  EXPECT_EQ(open(columns)->num_micro_batches(), 1);  // other sets do not take them
}

TEST_F(PlainTextTest, ABadDocumentIsNamedByFileAndLine) {
  put("a.jsonl", "{\"text\": \"ab\"}\n{\"content\": \"cd\"}\n");
  put("b.jsonl", "{\"text\": 7}\n");
  const auto refusal = [&](const std::string& name) {
    return message_of(ErrorCode::kData, [&] { rows(dataset({name}, 2)); });
  };
  expect_has(refusal("a.jsonl"), "a.jsonl:2: \"text\" is missing; dataset.text_column names the column");
  expect_has(refusal("a.jsonl"), "automodel.PlainTextDataset with text_column: content");
  expect_has(refusal("b.jsonl"), "b.jsonl:1: \"text\" is a number; expected text");
  put("c.txt", "abz");
  const auto loader = [&] { open(dataset({"c.txt"}, 2), {.vocab_size = 'c'})->next(); };
  expect_has(message_of(ErrorCode::kData, loader), "c.txt:1: ");
}

TEST_F(PlainTextTest, RowsAreDrawnSharedAndResumedLikeOthers) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += static_cast<char>('a' + i * i % 26);
  put("a.txt", text);
  const DatasetConfig set = dataset({"a.txt"}, 16);  // 25 rows and EOS
  const Loader::Options options = {.local_batch_size = 3, .seed = 5, .num_workers = 2};
  const auto whole = open(set, options);
  EXPECT_EQ(whole->num_micro_batches(), 9);
  std::vector<int64_t> order;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    whole->start_epoch(epoch);
    for (;;) {
      const LoaderState state = whole->state();
      const auto resumed = open(set, options);
      resumed->restore(state);
      const std::optional<Batch> expected = whole->next(), got = resumed->next();
      ASSERT_EQ(got.has_value(), expected.has_value());
      if (!expected) break;
      EXPECT_EQ(got->input_ids, expected->input_ids);
      EXPECT_EQ(got->labels, expected->labels);
      EXPECT_EQ(expected->num_tokens, expected->num_rows * 16);
      EXPECT_EQ(expected->num_label_tokens, expected->num_tokens);
      if (epoch == 1) order.insert(order.end(), expected->rows.begin(), expected->rows.end());
    }
  }
  EXPECT_EQ(order, epoch_rows(25, 1, {.seed = 5}));
  std::multiset<int64_t> seen;
  for (int64_t rank = 0; rank < 2; ++rank) {
    const auto part = open(set, {.dp_rank = rank, .dp_size = 2});
    while (const std::optional<Batch> batch = part->next())
      seen.insert(batch->rows.begin(), batch->rows.end());
  }
  EXPECT_EQ(seen.size(), 24U);
  EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), 24U);
}

TEST_F(PlainTextTest, TheOrderChangesWithAllThatMovesTokens) {
  put("a.txt", "abcdefgh\n\nijklmnop");
  const DatasetConfig set = dataset({"a.txt"}, 4);
  const auto of = [&](const DatasetConfig& one, const tokenizer::Tokenizer& tokenizer) {
    Order order = order_of(one, {});
    const Order own = open_loader(one, &tokenizer, {})->order();
    order.insert(order.end(), own.begin(), own.end());
    return order;
  };
  std::set<Order> orders = {of(set, tokenizer_)};
  const auto expect_new = [&](const Order& order) { EXPECT_TRUE(orders.insert(order).second); };
  expect_new(of(set, make_tokenizer({.adds_bos = true})));
  expect_new(of(dataset({"a.txt"}, 5), tokenizer_));
  for (const PlainTextSet& other : {PlainTextSet{"text", "\n\n", true}, PlainTextSet{"text", "", false}}) {
    DatasetConfig changed = set;
    changed.kind = other;
    expect_new(of(changed, tokenizer_));
  }
  put("a.txt", "abcdefgh\n\nijklmnoq");
  expect_new(of(set, tokenizer_));
}

}  // namespace
}  // namespace automodel::data
