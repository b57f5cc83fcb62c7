#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/config/recipe/dataset.h"
#include "core/data/batch.h"
#include "core/data/loader.h"
#include "core/data/processor.h"
#include "core/data/row_lengths.h"
#include "core/data/source.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// The rows of a set as samples, in any order. Immutable: any thread may call.
class RowSet {
 public:
  virtual ~RowSet() = default;

  virtual int64_t num_rows() const = 0;

  /// The sample of a row, its ids below `vocab_size`; 0: ids are not checked. Throws Error(kData) "file:line:
  /// what is wrong".
  virtual Sample sample(int64_t row, int64_t vocab_size) const = 0;

  /// "file:line" of a row. Reads the file up to there: for messages.
  virtual std::string place(int64_t row) const = 0;

  /// What fills the tails of rows.
  virtual int64_t pad_token_id() const = 0;

  /// Tokens of every row; 0: rows differ.
  virtual int64_t common_length() const { return 0; }

  /// Whether a row without any learnt label gives its place to the row that follows it.
  virtual bool replaces_unlabelled_rows() const { return false; }

  /// Rows that were left out on opening (skip_invalid_samples).
  virtual int64_t num_skipped() const { return 0; }

  /// What, besides the recipe and the files, decides which row stands where.
  virtual Order order() const;
};

/// A row of a source is a row of the set.
class ProcessedRows : public RowSet {
 public:
  ProcessedRows(std::unique_ptr<Source> source, std::unique_ptr<Processor> processor);

  int64_t num_rows() const override { return source_->num_rows(); }

  Sample sample(int64_t row, int64_t vocab_size) const override;

  std::string place(int64_t row) const override { return source_->place(row); }

  int64_t pad_token_id() const override { return processor_->pad_token_id(); }

  bool replaces_unlabelled_rows() const override { return processor_->replaces_unlabelled_rows(); }

  int64_t num_skipped() const override { return source_->num_skipped(); }

 private:
  std::unique_ptr<Source> source_;
  std::unique_ptr<Processor> processor_;
};

/// Opens a set of rows (config::DatasetKind::has_rows). `tokenizer` must outlive it. Throws Error(kData) for
/// missing files and Error(kConfig) for options that contradict each other or the tokenizer.
std::unique_ptr<RowSet> open_rows(const config::DatasetConfig& dataset,
                                  const tokenizer::Tokenizer& tokenizer);

/// `limits` with what the set's own options say of lengths. Rows of a common length are warned of here, and
/// need no further look.
RowLimits limits_of(const config::DatasetConfig& dataset, const RowSet& rows, RowLimits limits);

}  // namespace automodel::data
