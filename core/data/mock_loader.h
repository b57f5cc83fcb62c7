#pragma once

#include <memory>
#include <random>

#include "core/config/recipe/dataset.h"
#include "core/data/loader.h"

namespace automodel::data {

/// Random tokens for benchmarks, the reference's MockIterableDataset: `num_samples` micro-batches of
/// batch_size rows of seq_len tokens, uniform over [0, vocab_size), each token with the next one as its
/// label. A rank draws from the generator of torch seeded with seed + rank; every epoch is the same.
class MockLoader : public Loader {
 public:
  /// `dataset` is a config::MockSet; options.local_batch_size has no say.
  MockLoader(const config::DatasetConfig& dataset, const Options& options);

  std::optional<int64_t> num_micro_batches() const override { return num_micro_batches_; }

  std::optional<int64_t> micro_batches_left() const override {
    return num_micro_batches_ - state_.next_row / options_.dp_size / config_.batch_size;
  }

  std::optional<Batch> next() override;
  void start_epoch(int64_t epoch) override;

  LoaderState state() const override { return state_; }

  void restore(const LoaderState& state) override;

  int64_t num_skipped_rows() const override { return 0; }

 private:
  config::MockSet config_;
  Options options_;
  int64_t num_micro_batches_;
  std::mt19937 generator_;  ///< torch's CPU generator draws the same numbers
  LoaderState state_;
};

/// Opens a config::MockSet. Throws Error(kConfig) for tokens that the model has no row for.
std::unique_ptr<Loader> open_mock(const config::DatasetConfig& dataset, const Loader::Options& options);

/// Its order (order.h).
Order order_of_mock(const config::DatasetConfig& dataset, const Loader::Options& options);

}  // namespace automodel::data
