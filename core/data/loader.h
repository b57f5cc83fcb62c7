#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/recipe/recipe.h"
#include "core/data/batch.h"
#include "core/data/row_lengths.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// Where a loader stands: enough, with the recipe, to continue with the very next row. It counts rows, not
/// batches, so that a run may go on with batches of another size.
struct LoaderState {
  int64_t epoch = 0;
  int64_t next_row = 0;  ///< rows (packs, where rows are packed) that all ranks have taken of this epoch
};

/// What decides which row stands where in an epoch: keys of the recipe and facts of the data, each as text.
/// Loaders of equal orders give the same row at the same place.
using Order = std::vector<std::pair<std::string, std::string>>;

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
    int64_t vocab_size = 0;     ///< rows of the model's embedding, which ids are checked against; 0: unknown
    bool one_pass = false;      ///< an epoch of an endless set is one pass over its files: for validation
    int64_t ignore_index = kIgnoreIndex;  ///< written to Batch::labels where nothing is learnt
    RowLimits limits = {};                ///< rows beyond them are counted when the set is opened
  };

  virtual ~Loader() = default;

  /// Micro-batches in an epoch of this rank; nullopt for an iterable set without known length.
  virtual std::optional<int64_t> num_micro_batches() const = 0;

  /// Those still to come in the current epoch.
  virtual std::optional<int64_t> micro_batches_left() const = 0;

  /// The next micro-batch of the current epoch; nullopt at the epoch's end, after which `start_epoch`
  /// continues. Throws Error(kData) naming file, line and field of a bad row.
  virtual std::optional<Batch> next() = 0;

  virtual void start_epoch(int64_t epoch) = 0;

  virtual LoaderState state() const = 0;

  /// A place beyond the end of the epoch is its end.
  virtual void restore(const LoaderState& state) = 0;

  /// What this loader itself knows of the order: how many rows, which packs.
  virtual Order order() const { return {}; }

  /// Rows left out by skip_invalid_samples so far, and rows whose labels were all masked.
  virtual int64_t num_skipped_rows() const = 0;
};

/// The micro-batches of the next step: up to `count`, fewer at the end of an epoch, none behind it.
std::vector<Batch> next_batches(Loader& loader, int64_t count);

/// Opens a set. `tokenizer` may be null for sets of ids (nanoGPT, mock) and must outlive the loader.
/// Throws Error(kData) when a file is missing, empty or malformed, naming it and what was expected.
std::unique_ptr<Loader> open_loader(const config::DatasetConfig& dataset,
                                    const tokenizer::Tokenizer* tokenizer,
                                    const Loader::Options& options);

}  // namespace automodel::data
