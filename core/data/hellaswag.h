#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/data/processor.h"

namespace automodel::data {

/// Rows of HellaSwag: ctx, endings, label (the right ending's number, a number or text). Beginning and ending
/// are tokenised apart; the ending is learnt. Zellers et al. 2019, arXiv:1905.07830.
///
/// As the reference does it: rows are looked at in blocks of 1000; where the first row's beginning ends in a
/// special token, every beginning of the block loses its last token, and where its ending begins with one,
/// every ending its first. Rows are not cut. With pad_to_max_length they are padded to the longest row of
/// the set, rounded up to a multiple of 8.
class HellaSwagProcessor : public Processor {
 public:
  /// Tokenises the whole set to find the longest row; without pad_to_max_length the first row of each block
  /// only. Throws Error(kData) with file, line and field of a bad row.
  HellaSwagProcessor(const config::DatasetConfig& dataset,
                     const tokenizer::Tokenizer& tokenizer,
                     const Source& source);

  Sample process(const nlohmann::ordered_json& row, int64_t index) const override;

  /// The reference's collator knows no pad token here.
  int64_t pad_token_id() const override { return 0; }

 private:
  /// A row's tokens, special ones included until they are stripped.
  struct Pair {
    std::vector<int32_t> beginning, ending;
  };

  /// What all rows of a block lose.
  struct Strip {
    bool last_of_beginning = false, first_of_ending = false;
  };

  std::vector<Pair> tokenize(const std::vector<std::string>& texts) const;
  Strip strip_of(const Pair& first) const;
  static void apply(const Strip& strip, Pair& pair);
  int64_t look_at_block(const Source& source, int64_t first, int64_t last);

  const tokenizer::Tokenizer* tokenizer_;
  std::vector<int32_t> special_ids_;
  std::vector<Strip> blocks_;
  int64_t padded_length_ = 0;  ///< 0: rows are not padded here
};

}  // namespace automodel::data
