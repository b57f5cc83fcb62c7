#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/data/loader.h"
#include "core/data/packing.h"
#include "core/data/prefetcher.h"
#include "core/data/row_set.h"

namespace automodel::data {

/// The loader of a set whose rows can be read in any order: sampler -> rows -> collator, the last two on
/// worker threads. The first row is read at once, so that a set of another kind is told by its
/// first line; lengths are looked at where Options::limits says so. With Options::pack_size the sampler draws
/// packs of rows; every row is then tokenised once at the start, for its length.
class RowLoader : public Loader {
 public:
  RowLoader(std::unique_ptr<RowSet> rows, bool skip_invalid_rows, const Options& options);

  std::optional<int64_t> num_micro_batches() const override;
  std::optional<int64_t> micro_batches_left() const override;
  std::optional<Batch> next() override;
  void start_epoch(int64_t epoch) override;

  LoaderState state() const override { return state_; }

  void restore(const LoaderState& state) override;
  Order order() const override;

  int64_t num_skipped_rows() const override { return num_skipped_rows_; }

 private:
  void plan_packs();
  RowLengths measure_all_rows();
  int64_t num_items() const;
  int64_t micro_batches_of(int64_t num_items) const;
  void start(const LoaderState& state);

  /// `micro_batch`: counted from where `start` began.
  PreparedBatch prepare(int64_t micro_batch) const;

  /// The sample of a row or of a pack.
  Sample sample_of(int64_t item, int64_t& num_skipped) const;

  /// The sample for a row, or of the first row behind it that can stand in for it.
  Sample sample_for(int64_t row, int64_t& num_skipped) const;
  void check_first_row() const;

  Options options_;
  std::unique_ptr<RowSet> rows_;
  bool skip_invalid_rows_;
  LoaderState state_;
  int64_t num_skipped_rows_ = 0;
  std::vector<Pack> packs_;     ///< empty: rows are not packed
  std::vector<int64_t> items_;  ///< rows or packs of this rank in this epoch; the workers read it
  int64_t first_item_ = 0;      ///< index into items_ where `start` began
  std::unique_ptr<Prefetcher> prefetcher_;
};

}  // namespace automodel::data
