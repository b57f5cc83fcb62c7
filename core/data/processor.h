#pragma once

#include <memory>

#include <nlohmann/json_fwd.hpp>

#include "core/config/recipe.h"
#include "core/data/batch.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// Turns a row of a source into a tokenised sample, labels shifted. Immutable: any thread may call.
class Processor {
 public:
  virtual ~Processor() = default;

  /// Throws Error(kData) that names the field; the caller adds file and line.
  virtual Sample process(const nlohmann::ordered_json& row) const = 0;

  /// Whether a row without any learnt label gives its place to the row that follows it in the source.
  virtual bool replaces_unlabelled_rows() const { return false; }

  /// What fills the tails of rows.
  virtual int64_t pad_token_id() const = 0;
};

/// The processor of a column-mapped, SQuAD or chat set. `tokenizer` must outlive it.
/// Throws Error(kConfig) for options that contradict each other or the tokenizer.
std::unique_ptr<Processor> make_processor(const config::DatasetConfig& dataset,
                                          const tokenizer::Tokenizer& tokenizer);

}  // namespace automodel::data
