#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/data/batch.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// A sample to be looked at: its text, cut where learning begins and ends.
struct RowView {
  struct Piece {
    std::string text;
    bool learnt = false;
  };

  std::vector<Piece> pieces;
  std::vector<int32_t> ids;  ///< of the pieces; the last one is there when it is learnt
  int64_t num_tokens = 0;    ///< also the last one, which is not known where it is not learnt
  int64_t num_learnt = 0;
  int64_t num_padding = 0;  ///< tokens behind the pieces
};

/// Without a tokenizer the text is the ids. Special tokens are shown as they are written.
RowView view_row(const Sample& sample, const tokenizer::Tokenizer* tokenizer);

}  // namespace automodel::data
