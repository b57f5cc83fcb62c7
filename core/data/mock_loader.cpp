#include "core/data/mock_loader.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/data/collator.h"

namespace automodel::data {

MockLoader::MockLoader(const config::DatasetConfig& dataset, const Options& options)
    : config_(std::get<config::MockSet>(dataset.kind)),
      options_(options),
      num_micro_batches_(config_.num_samples) {
  start_epoch(0);
}

std::optional<Batch> MockLoader::next() {
  if (*micro_batches_left() == 0) return std::nullopt;
  const auto length = static_cast<size_t>(config_.seq_len);
  std::vector<Sample> samples(static_cast<size_t>(config_.batch_size));
  for (size_t row = 0; row < samples.size(); ++row) {
    Sample& sample = samples[row];
    for (size_t i = 0; i < length; ++i)
      sample.input_ids.push_back(
          static_cast<int32_t>(generator_() % static_cast<uint64_t>(config_.vocab_size)));
    sample.labels.assign(sample.input_ids.begin() + 1, sample.input_ids.end());
    sample.labels.push_back(static_cast<int32_t>(kIgnoreIndex));
    sample.row = state_.next_row / options_.dp_size + static_cast<int64_t>(row);
  }
  state_.next_row += config_.batch_size * options_.dp_size;
  return collate(samples,
                 {.pad_token_id = 0,
                  .pad_seq_len_divisible = options_.pad_seq_len_divisible,
                  .ignore_index = options_.ignore_index});
}

void MockLoader::start_epoch(int64_t epoch) {
  state_ = {.epoch = epoch, .next_row = 0};
  generator_.seed(static_cast<uint32_t>(config_.seed + options_.dp_rank));
}

void MockLoader::restore(const LoaderState& state) {
  start_epoch(state.epoch);
  state_.next_row = std::min(state.next_row, num_micro_batches_ * config_.batch_size * options_.dp_size);
  generator_.discard(static_cast<uint64_t>(state_.next_row / options_.dp_size * config_.seq_len));
}

std::unique_ptr<Loader> open_mock(const config::DatasetConfig& dataset, const Loader::Options& options) {
  const auto& set = std::get<config::MockSet>(dataset.kind);
  check(options.vocab_size == 0 || set.vocab_size <= options.vocab_size,
        ErrorCode::kConfig,
        "dataset.vocab_size: ",
        set.vocab_size,
        " is more than the ",
        options.vocab_size,
        " rows of the model's embedding");
  warn_of_length(set.seq_len, "seq_len", options.limits);
  return std::make_unique<MockLoader>(dataset, options);
}

Order order_of_mock(const config::DatasetConfig& dataset, const Loader::Options& /*options*/) {
  const auto& set = std::get<config::MockSet>(dataset.kind);
  return {{"dataset.vocab_size", std::to_string(set.vocab_size)},
          {"dataset.seq_len", std::to_string(set.seq_len)},
          {"dataset.seed", std::to_string(set.seed)}};
}

}  // namespace automodel::data
