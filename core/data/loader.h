#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/config/recipe.h"
#include "core/data/batch.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// Where a loader stands: enough, with the recipe, to continue with the very next batch.
struct LoaderState {
  int64_t epoch = 0;
  int64_t next_micro_batch = 0;  ///< of this rank, within the epoch
};

/// Throws Error(kData) unless a checkpoint's place lies in an epoch of so many micro-batches.
void check_place(const LoaderState& state, int64_t num_micro_batches);

/// Gives the micro-batches of one rank, epoch after epoch, tokenised ahead on worker threads.
/// Owned and called by one thread. Row order is the reference's: see sampler.h.
class Loader {
 public:
  struct Options {
    int64_t local_batch_size = 1;
    int64_t seed = 42;
    int64_t dp_rank = 0;
    int64_t dp_size = 1;
    bool shuffle = true;
    bool drop_last = false;  ///< leave out an epoch's last micro-batch when it is not full
    int64_t pad_seq_len_divisible = 1;
    int64_t num_workers = 1;
    int64_t pack_size = 0;      ///< tokens of a sequence that several rows share; 0: a row is a sequence
    int64_t num_max_packs = 0;  ///< packs of an epoch; 0: all
    int64_t ignore_index = kIgnoreIndex;  ///< written to Batch::labels where nothing is learnt
  };

  virtual ~Loader() = default;

  /// Micro-batches in an epoch of this rank; nullopt for an iterable set without known length.
  virtual std::optional<int64_t> num_micro_batches() const = 0;

  /// The next micro-batch of the current epoch; nullopt at the epoch's end, after which `start_epoch`
  /// continues. Throws Error(kData) naming file, line and field of a bad row.
  virtual std::optional<Batch> next() = 0;

  virtual void start_epoch(int64_t epoch) = 0;

  virtual LoaderState state() const = 0;

  virtual void restore(const LoaderState& state) = 0;

  /// Rows left out by skip_invalid_samples so far, and rows whose labels were all masked.
  virtual int64_t num_skipped_rows() const = 0;
};

/// Opens a set. `tokenizer` may be null for sets of ids (nanoGPT, mock) and must outlive the loader.
/// Throws Error(kData) when a file is missing, empty or malformed, naming it and what was expected.
std::unique_ptr<Loader> open_loader(const config::DatasetConfig& dataset,
                                    const tokenizer::Tokenizer* tokenizer,
                                    const Loader::Options& options);

}  // namespace automodel::data
