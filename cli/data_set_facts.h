#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/config/recipe/recipe.h"
#include "core/data/row_lengths.h"
#include "core/data/row_set.h"
#include "core/data/row_view.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::cli {

/// One row to be shown.
struct ShownRow {
  int64_t index = 0;  ///< from 0, in the order of the files
  std::string place;  ///< file:line; empty where rows are no lines
  data::Sample sample;
  data::RowView view;
};

/// A set of a recipe, opened as training opens it, with what can be said of it. Warns, as training does, of
/// rows that are too long.
class ShownSet {
 public:
  /// Throws Error(kConfig) when rows of text have no tokenizer.
  ShownSet(const config::Recipe& recipe, const config::DatasetConfig& set, const std::string& section);

  /// Lines of text: what it is, lengths, what is learnt.
  std::string summary() const;
  nlohmann::ordered_json facts() const;

  /// Throws Error(kUsage) for a row that is not there, Error(kData) for one that is not valid.
  std::vector<ShownRow> rows(int64_t first, int64_t count) const;

 private:
  bool has_rows() const { return rows_ != nullptr; }

  void count_documents(const config::NanogptSet& set);
  std::vector<ShownRow> sequences(int64_t first, int64_t count) const;

  config::DatasetConfig set_;
  std::string section_;
  std::optional<tokenizer::Tokenizer> tokenizer_;
  // Of a set of rows.
  std::unique_ptr<data::RowSet> rows_;
  data::RowLengths lengths_;
  data::RowLimits limits_;
  // Of nanoGPT shards.
  int64_t num_shards_ = 0, num_tokens_ = 0;
  std::vector<int64_t> documents_;  ///< their lengths, where dataset.bos_token is known
};

}  // namespace automodel::cli
