#pragma once

#include <memory>

#include <nlohmann/json_fwd.hpp>

#include "core/config/recipe/recipe.h"
#include "core/data/batch.h"
#include "core/data/source.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// Turns a row of a source into a tokenised sample, labels shifted. Immutable: any thread may call.
class Processor {
 public:
  virtual ~Processor() = default;

  /// `index`: the row's in its source. Throws Error(kData) that names the field; the caller adds file and
  /// line.
  virtual Sample process(const nlohmann::ordered_json& row, int64_t index) const = 0;

  /// Whether a row without any learnt label gives its place to the row that follows it in the source.
  virtual bool replaces_unlabelled_rows() const { return false; }

  /// What fills the tails of rows.
  virtual int64_t pad_token_id() const = 0;
};

/// The processor of a set whose rows are those of its source; HellaSwag's looks at all of `source` now.
/// `tokenizer` must outlive it. Throws Error(kConfig) for options that contradict each other or the
/// tokenizer.
std::unique_ptr<Processor> make_processor(const config::DatasetConfig& dataset,
                                          const tokenizer::Tokenizer& tokenizer,
                                          const Source& source);

}  // namespace automodel::data
