#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <variant>
#include <vector>

#include "core/config/recipe/dataset.h"
#include "core/data/loader.h"
#include "core/data/processor.h"
#include "core/data/row_set.h"
#include "core/data/source.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// How sets of one kind are opened: the other half of config::DatasetKind. The row of a kind stands in
/// kinds.cpp.
struct SetKind {
  /// A row of the files is a row of the set.
  using MakeProcessor = std::unique_ptr<Processor> (*)(const config::DatasetConfig& dataset,
                                                       const tokenizer::Tokenizer& tokenizer,
                                                       const Source& source);
  /// Rows are made of the files in another way.
  using OpenRows = std::unique_ptr<RowSet> (*)(const config::DatasetConfig& dataset,
                                               const tokenizer::Tokenizer& tokenizer);
  /// There are no rows.
  using OpenStream = std::unique_ptr<Loader> (*)(const config::DatasetConfig& dataset,
                                                 const Loader::Options& options);

  size_t index;  ///< of the kind in DatasetConfig::kind
  std::variant<MakeProcessor, OpenRows, OpenStream> open;
  /// Its files; throws Error(kData, kIo) where one is missing.
  std::vector<std::filesystem::path> (*files)(const config::DatasetConfig& dataset);
  /// See order.h.
  Order (*order)(const config::DatasetConfig& dataset, const Loader::Options& options);
};

/// The row of the set's kind.
const SetKind& set_kind_of(const config::DatasetConfig& dataset);

}  // namespace automodel::data
