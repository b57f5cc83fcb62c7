#pragma once

#include <memory>

#include "core/config/recipe/dataset.h"
#include "core/data/loader.h"
#include "core/data/nanogpt_stream.h"

namespace automodel::data {

/// The loader of nanoGPT shards: one epoch without end, or with Options::one_pass epochs of one pass each.
/// Copies from the memory map, so it needs no workers.
class NanogptLoader : public Loader {
 public:
  NanogptLoader(std::vector<std::filesystem::path> files,
                const NanogptStream::Options& stream,
                const Options& options);

  std::optional<int64_t> num_micro_batches() const override { return std::nullopt; }

  std::optional<int64_t> micro_batches_left() const override { return std::nullopt; }

  std::optional<Batch> next() override;

  /// Without one_pass the set goes on where it stands: it has no end that an epoch could be counted by.
  void start_epoch(int64_t epoch) override;

  LoaderState state() const override { return state_; }

  void restore(const LoaderState& state) override;

  int64_t num_skipped_rows() const override { return 0; }

 private:
  std::vector<std::filesystem::path> files_;
  NanogptStream::Options stream_options_;
  Options options_;
  std::unique_ptr<NanogptStream> stream_;
  LoaderState state_;
};

/// Opens a config::NanogptSet.
std::unique_ptr<Loader> open_nanogpt(const config::DatasetConfig& dataset, const Loader::Options& options);

/// Its order (order.h).
Order order_of_nanogpt(const config::DatasetConfig& dataset, const Loader::Options& options);

}  // namespace automodel::data
