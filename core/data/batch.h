#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace automodel::data {

constexpr int64_t kIgnoreIndex = -100;

/// One tokenised row, shifted: labels[i] is the target of position i, kIgnoreIndex where none is learnt.
struct Sample {
  std::vector<int32_t> input_ids;
  std::vector<int32_t> labels;            ///< as long as input_ids
  std::vector<uint8_t> attention_mask;    ///< empty: all ones. 0 marks padding that the processor added
  std::vector<int64_t> document_lengths;  ///< tokens of each row in a pack; empty: the sample is one row
  std::vector<int64_t> document_padding;  ///< of these, padding at the end; as long as document_lengths
  int64_t row = -1;                       ///< index in the source, for messages and tests

  /// Tokens that are not padding, which stands at the end.
  int64_t num_real_tokens() const {
    const auto all = static_cast<int64_t>(input_ids.size());
    return attention_mask.empty() ? all : std::count(attention_mask.begin(), attention_mask.end(), 1);
  }
};

/// A micro-batch: rows right-padded to a common length T.
struct Batch {
  int64_t num_rows = 0;            ///< B
  int64_t length = 0;              ///< T
  std::vector<int64_t> input_ids;  ///< [B, T], pad token in the tail
  std::vector<int64_t>
      labels;  ///< [B, T], Loader::Options::ignore_index where nothing is learnt and in the tail
  std::vector<int32_t>
      documents;  ///< [B, T], which row of a pack a token is of, -1 where padding; empty: no packs
  std::vector<int64_t>
      positions;                 ///< [B, T], from 0 in each document, 0 where padding; empty with `documents`
  std::vector<int64_t> lengths;  ///< [B], tokens of each row that are not padding
  std::vector<int64_t> rows;     ///< [B], index of each row in the source
  int64_t num_label_tokens = 0;  ///< labels that are not kIgnoreIndex
  int64_t num_tokens = 0;        ///< the reference's count: all tokens less tail padding
};

}  // namespace automodel::data
