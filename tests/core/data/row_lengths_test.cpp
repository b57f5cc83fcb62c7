#include "core/data/row_lengths.h"

#include <functional>
#include <numeric>

#include "core/data/loader.h"
#include "core/data/row_set.h"
#include "core/data/row_view.h"
#include "tests/core/data/character_tokenizer.h"

namespace automodel::data {
namespace {

using config::DatasetConfig;

/// Every character is a token, so that lengths are those of texts: "Q " and the answer.
class RowLengthsTest : public WithTokenizer {
 protected:
  /// Its pad token is another than its end of sequence: the first of those counts as the row's end.
  RowLengthsTest() : tokenizer_(make_tokenizer({.pad_token = "<s>"})) {}

  static std::string row(int64_t answer_length) {
    return R"({"q": "Q", "a": ")" + std::string(static_cast<size_t>(answer_length), 'x') + "\"}\n";
  }

  DatasetConfig dataset(const std::string& lines) const {
    DatasetConfig made;
    made.paths = {put("rows.jsonl", lines).string()};
    made.kind = config::ColumnMappedSet{.column_mapping = {{"question", "q"}, {"answer", "a"}}};
    return made;
  }

  RowLengths measure(const DatasetConfig& set, const MeasureOptions& options = {}) const {
    rows_ = open_rows(set, tokenizer_);
    return measure_rows(*rows_, options);
  }

  static std::string log_of(const std::function<void()>& call) {
    testing::internal::CaptureStderr();
    call();
    return testing::internal::GetCapturedStderr();
  }

  tokenizer::Tokenizer tokenizer_;
  mutable std::unique_ptr<RowSet> rows_;
};

TEST_F(RowLengthsTest, CountTokensLabelsAndPadding) {
  const RowLengths lengths = measure(dataset(row(3) + row(10)));
  ASSERT_EQ(lengths.rows.size(), 2U);
  EXPECT_EQ(lengths.rows[0].num_tokens, 5);
  EXPECT_EQ(lengths.rows[0].num_learnt, 3);
  EXPECT_EQ(lengths.rows[1].num_tokens, 12);
  DatasetConfig padded = dataset(row(3));
  padded.padding = "max_length";
  padded.seq_length = 20;
  const RowLengths one = measure(padded);
  EXPECT_EQ(one.rows[0].num_tokens, 5);
  EXPECT_EQ(one.rows[0].length, 20);
}

TEST_F(RowLengthsTest, OfALargeSetAreASampleThatLiesEvenly) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += row(5);
  const RowLengths lengths = measure(dataset(lines), {.max_rows = 100, .max_seconds = 60});
  EXPECT_EQ(lengths.num_looked_at(), 100);
  EXPECT_EQ(lengths.looked_at(), "100 of 1,000 rows, evenly spread,");
  for (size_t i = 1; i < lengths.rows.size(); ++i) {
    EXPECT_EQ(lengths.rows[i].row / 10, lengths.rows[i - 1].row / 10 + 1);  // one of every ten
  }
}

TEST_F(RowLengthsTest, RowsThatAreNotValidAreCountedAndTheFirstIsNamed) {
  const RowLengths lengths = measure(dataset(row(3) + "{\"q\": \"Q\"}\n" + row(4) + "{\"q\": 1}\n"));
  EXPECT_EQ(lengths.num_invalid, 2);
  EXPECT_EQ(lengths.rows.size(), 2U);
  EXPECT_NE(lengths.first_invalid.find("rows.jsonl:2: "), std::string::npos) << lengths.first_invalid;
}

TEST_F(RowLengthsTest, ALoaderNamesRowsThatAreLongerThanSeqLength) {
  DatasetConfig set = dataset(row(3) + row(7) + row(9) + row(8));
  set.seq_length = 9;  // the second row has exactly as many
  const std::string log = log_of([&] { open_loader(set, &tokenizer_, {}); });
  EXPECT_NE(log.find("2 of 4 rows are longer than dataset.seq_length 9 and are not cut "
                     "(dataset.truncation: longest_first cuts), the first is "),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("rows.jsonl:3 with 11 tokens"), std::string::npos) << log;
  set.truncation = "longest_first";
  EXPECT_EQ(log_of([&] { open_loader(set, &tokenizer_, {}); }).find("longer"), std::string::npos);
}

TEST_F(RowLengthsTest, ALoaderNamesRowsThatAreLongerThanTheModelsPositions) {
  const DatasetConfig set = dataset(row(3) + row(9));  // of 4 and 10 positions: the last token needs none
  RowLimits limits = {.section = "validation_dataset", .max_positions = 9};
  const std::string log = log_of([&] { open_loader(set, &tokenizer_, {.limits = limits}); });
  EXPECT_NE(log.find("1 of 2 rows is longer than the 9 positions that the model was made for"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("rows.jsonl:2 with 11 tokens; cut them with validation_dataset.seq_length"),
            std::string::npos)
      << log;
  limits.max_positions = 10;
  EXPECT_EQ(log_of([&] { open_loader(set, &tokenizer_, {.limits = limits}); }).find("longer"),
            std::string::npos);
  limits = {.max_positions = 9, .positions_end = true};
  EXPECT_NE(
      log_of([&] { open_loader(set, &tokenizer_, {.limits = limits}); }).find("the run ends at such a row"),
      std::string::npos);
}

TEST_F(RowLengthsTest, PackedSetsAreCountedToo) {
  DatasetConfig set = dataset(row(3) + row(9));
  set.seq_length = 5;
  const std::string log = log_of([&] { open_loader(set, &tokenizer_, {.pack_size = 64}); });
  EXPECT_NE(log.find("1 of 2 rows is longer than dataset.seq_length 5 and is not cut"), std::string::npos)
      << log;
}

TEST_F(RowLengthsTest, ShardsLongerThanTheModelsPositionsAreNamed) {
  DatasetConfig set;
  set.kind = config::MockSet{.vocab_size = 10, .seq_len = 64};
  const std::string log = log_of([&] { open_loader(set, nullptr, {.limits = {.max_positions = 32}}); });
  EXPECT_NE(log.find("dataset.seq_len 64 is longer than the 32 positions"), std::string::npos) << log;
}

TEST_F(RowLengthsTest, SpreadIsByNearestRank) {
  std::vector<int64_t> values(100);
  std::iota(values.rbegin(), values.rend(), 1);
  const Spread spread = spread_of(values);
  EXPECT_EQ(spread.min, 1);
  EXPECT_EQ(spread.median, 50);
  EXPECT_EQ(spread.p95, 95);
  EXPECT_EQ(spread.max, 100);
  EXPECT_EQ(spread_of({7}).p95, 7);
}

TEST_F(RowLengthsTest, ARowIsShownInPiecesOfWhatIsLearnt) {
  const DatasetConfig set = dataset("{\"q\": \"Why\", \"a\": \"So.\"}\n");
  measure(set);
  const RowView view = view_row(rows_->sample(0, 0), &tokenizer_);
  ASSERT_EQ(view.pieces.size(), 2U);
  EXPECT_EQ(view.num_learnt, 3);
  EXPECT_EQ(view.ids, (std::vector<int32_t>{'W', 'h', 'y', ' ', 'S', 'o', '.'}));
  EXPECT_FALSE(view.pieces[0].learnt);
  EXPECT_TRUE(view.pieces[1].learnt);
  const RowView ids = view_row(rows_->sample(0, 0), nullptr);
  EXPECT_EQ(ids.pieces[1].text, "83 111 46 ");
}

TEST_F(RowLengthsTest, ASetOfAnotherKindIsToldByItsFirstRow) {
  DatasetConfig chat;
  chat.kind = config::ChatSet();
  chat.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}";
  const auto refusal = [&](const std::string& line) {
    chat.paths = {put("rows.jsonl", line + "\n" + line + "\n").string()};
    return message_of(ErrorCode::kData, [&] { open_loader(chat, &tokenizer_, {}); });
  };
  expect_has(refusal(R"({"question": "Q", "answer": "A"})"), "rows.jsonl:1: \"messages\" is missing");
  expect_has(refusal(R"({"question": "Q", "answer": "A"})"),
             "the row has: question, answer; such rows are read by ColumnMappedTextInstructionDataset with "
             "column_mapping: {question: question, answer: answer}");
  expect_has(refusal(R"({"instruction": "I", "input": "", "output": "O"})"),
             "{context: instruction, question: input, answer: output}");
  expect_has(refusal(R"({"text": "T"})"), "automodel.PlainTextDataset");
  expect_has(refusal(R"({"context": "C", "question": "Q", "answers": {}})"), "make_squad_dataset");
  DatasetConfig mapped = dataset(R"({"messages": []})");
  expect_has(message_of(ErrorCode::kData, [&] { open_loader(mapped, &tokenizer_, {}); }),
             "read by ChatDataset");
}

}  // namespace
}  // namespace automodel::data
