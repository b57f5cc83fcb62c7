#pragma once

#include <cstdint>
#include <span>

#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// Throws Error(kData) for an id that a model with `vocab_size` rows in its embedding has no row for, naming
/// it and its place in the row; kIgnoreIndex passes. 0 rows: the model is not known, nothing is checked.
void check_ids(std::span<const int32_t> ids, int64_t vocab_size);

/// Warns of a tokenizer that has more tokens than the model has rows: a row with one of them would end the
/// run. Throws Error(kData) when the padding token is one of them and `pads` says that rows are padded.
void check_vocabulary(const tokenizer::Tokenizer& tokenizer, int64_t vocab_size, bool pads);

}  // namespace automodel::data
