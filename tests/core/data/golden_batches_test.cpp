// The loader against every micro-batch and every step's counts that the reference recorded.
#include <numeric>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/data/loader.h"
#include "tests/core/data/shared_data.h"

namespace automodel::data {
namespace {

using config::DatasetConfig;
using Json = nlohmann::json;
using Kind = decltype(DatasetConfig::kind);

/// What a recorded run's recipe says of its data.
struct RecordedRun {
  const char* name;
  Kind kind;
  const char* train;
  const char* validation = nullptr;
  bool shuffle = true;
  std::optional<int64_t> limit = {};
  const char* checkpoint = "tiny-llama";
};

constexpr int64_t kSeed = 1111;
constexpr int64_t kLocalBatchSize = 4;
constexpr int64_t kAccumulation = 2;

std::filesystem::path golden(const std::string& path) {
  return shared("golden/" + path);
}

DatasetConfig dataset_of(const RecordedRun& run, const std::string& file) {
  DatasetConfig dataset;
  dataset.kind = run.kind;
  dataset.paths = {golden("inputs/data/" + file).string()};
  dataset.split = "train";
  if (auto* columns = std::get_if<config::ColumnMappedSet>(&dataset.kind))
    columns->column_mapping = {{"question", "question"}, {"answer", "answer"}};
  dataset.seq_length = 512;
  dataset.truncation = "longest_first";
  dataset.limit_dataset_samples = run.limit;
  if (auto* nanogpt = std::get_if<config::NanogptSet>(&dataset.kind)) nanogpt->seq_len = 128;
  return dataset;
}

std::vector<Json> read_lines(const std::filesystem::path& path) {
  std::vector<Json> lines;
  for (const std::string& line : split(read_file(path), '\n')) {
    if (!line.empty()) lines.push_back(Json::parse(line));
  }
  return lines;
}

std::vector<int64_t> flat(const Json& rows) {
  std::vector<int64_t> values;
  for (const Json& row : rows) {
    for (const Json& value : row) values.push_back(value.get<int64_t>());
  }
  return values;
}

void expect_tensor(const std::vector<int64_t>& ours,
                   const Batch& batch,
                   const Json& recorded,
                   const std::string& what) {
  if (recorded.is_array()) {
    EXPECT_EQ(ours, flat(recorded)) << what;
    return;
  }
  EXPECT_EQ(Json({batch.num_rows, batch.length}), recorded["shape"]) << what;
  EXPECT_EQ(std::accumulate(ours.begin(), ours.end(), int64_t{0}), recorded["sum"].get<int64_t>()) << what;
  for (size_t row = 0; recorded.contains("first8") && row < recorded["first8"].size(); ++row) {
    const auto begin = ours.begin() + static_cast<int64_t>(row) * batch.length;
    EXPECT_EQ(Json(std::vector<int64_t>(begin, begin + 8)), recorded["first8"][row])
        << what << ", row " << row;
  }
}

void expect_batch(const Batch& batch, const Json& recorded) {
  const std::string what = "step " + recorded["step"].dump() + ", micro-batch " + recorded["micro"].dump();
  expect_tensor(batch.input_ids, batch, recorded["input_ids"], what + ", input_ids");
  expect_tensor(batch.labels, batch, recorded["labels"], what + ", labels");
  if (!recorded.contains("attention_mask")) return;
  std::vector<int64_t> mask;
  for (const int64_t length : batch.lengths) {
    for (int64_t i = 0; i < batch.length; ++i) mask.push_back(i < length ? 1 : 0);
  }
  expect_tensor(mask, batch, recorded["attention_mask"], what + ", attention_mask");
}

class GoldenBatches : public ::testing::TestWithParam<RecordedRun> {};

TEST_P(GoldenBatches, EqualTheReferences) {
  const RecordedRun& run = GetParam();
  const std::filesystem::path folder = golden(run.name);
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "../shared/golden is absent";
  std::optional<tokenizer::Tokenizer> tokenizer;
  if (!std::holds_alternative<config::NanogptSet>(run.kind)) {
    tokenizer.emplace(tokenizer::Tokenizer::load(golden(std::string("inputs/ckpt/") + run.checkpoint)));
  }
  const Loader::Options options = {
      .local_batch_size = kLocalBatchSize, .seed = kSeed, .shuffle = run.shuffle, .num_workers = 2};
  const auto loader = open_loader(dataset_of(run, run.train), tokenizer ? &*tokenizer : nullptr, options);

  std::vector<Json> recorded;
  if (std::filesystem::exists(folder / "batches.jsonl")) recorded = read_lines(folder / "batches.jsonl");
  size_t num_compared = 0;
  int64_t epoch = 0;
  for (const Json& step : read_lines(folder / "training.jsonl")) {
    if (step["epoch"] != epoch) {
      EXPECT_FALSE(loader->next().has_value()) << "epoch " << epoch << " goes on";
      loader->start_epoch(epoch = step["epoch"].get<int64_t>());
    }
    int64_t num_tokens = 0;
    int64_t num_label_tokens = 0;
    for (int64_t micro = 0; micro < kAccumulation; ++micro) {
      const std::optional<Batch> batch = loader->next();
      if (!batch) break;
      num_tokens += batch->num_tokens;
      num_label_tokens += batch->num_label_tokens;
      for (const Json& one : recorded) {
        if (one["step"] != step["step"] || one["micro"] != micro) continue;
        expect_batch(*batch, one);
        ++num_compared;
      }
    }
    EXPECT_EQ(num_tokens, step["num_tokens_per_step"].get<int64_t>()) << "step " << step["step"];
    EXPECT_EQ(num_label_tokens, step["num_label_tokens"].get<int64_t>()) << "step " << step["step"];
  }
  EXPECT_EQ(num_compared, recorded.size());
  EXPECT_EQ(loader->num_skipped_rows(), 0);
}

class GoldenValidation : public ::testing::TestWithParam<RecordedRun> {};

TEST_P(GoldenValidation, HasTheReferencesLabels) {
  const RecordedRun& run = GetParam();
  const std::filesystem::path lines = golden(run.name) / "validation.jsonl";
  if (!std::filesystem::exists(golden(""))) GTEST_SKIP() << "../shared/golden is absent";
  const auto tokenizer = tokenizer::Tokenizer::load(golden(std::string("inputs/ckpt/") + run.checkpoint));
  RecordedRun validation = run;
  validation.limit.reset();
  const auto loader =
      open_loader(dataset_of(validation, run.validation), &tokenizer, {.local_batch_size = 4, .seed = kSeed});
  int64_t num_label_tokens = 0;
  while (const std::optional<Batch> batch = loader->next()) num_label_tokens += batch->num_label_tokens;
  EXPECT_EQ(num_label_tokens, read_lines(lines).front()["num_label_tokens"].get<int64_t>());
}

constexpr const char* kTrain = "gsm8k_train.jsonl";
constexpr const char* kValidation = "gsm8k_val.jsonl";

const std::vector<RecordedRun> kRuns = {
    {"sft_llama_const", config::ColumnMappedSet(), kTrain, kValidation},
    {"sft_llama_3epochs", config::ColumnMappedSet(), kTrain, kValidation, true, 27},
    {"sft_llama_noshuffle", config::ColumnMappedSet(), kTrain, kValidation, false},
    {"sft_qwen3_cosine", config::ColumnMappedSet(), kTrain, kValidation, true, {}, "tiny-qwen3"},
    {"lora_llama_fp32", config::ColumnMappedSet(), kTrain, kValidation},
    {"chat_llama", config::ChatSet(), "chat_train.jsonl", "chat_val.jsonl"},
};

const RecordedRun kPretraining = {
    "pretrain_nanogpt_llama", config::NanogptSet(), "nanogpt/gsm8k_train_*.bin"};

const auto kName = [](const auto& test) { return std::string(test.param.name); };

INSTANTIATE_TEST_SUITE_P(Runs, GoldenBatches, ::testing::ValuesIn(kRuns), kName);
INSTANTIATE_TEST_SUITE_P(Shards, GoldenBatches, ::testing::Values(kPretraining), kName);
INSTANTIATE_TEST_SUITE_P(Runs, GoldenValidation, ::testing::ValuesIn(kRuns), kName);

}  // namespace
}  // namespace automodel::data
