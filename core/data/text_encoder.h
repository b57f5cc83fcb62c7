#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/config/recipe/recipe.h"
#include "core/data/batch.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::data {

/// Tokens and which of them are learnt, before the shift.
struct MarkedTokens {
  std::vector<int32_t> ids;
  std::vector<uint8_t> learnt;  ///< as long as ids
};

/// Tokenises text with the truncation and padding of a dataset section. Immutable: any thread may call.
class TextEncoder {
 public:
  /// `tokenizer` must outlive the encoder. Throws Error(kConfig) for unknown words in padding and truncation,
  /// and for padding to max_length without seq_length.
  TextEncoder(const config::DatasetConfig& dataset, const tokenizer::Tokenizer& tokenizer);

  const tokenizer::Tokenizer& tokenizer() const { return *tokenizer_; }

  /// Plain text with the tokenizer's special tokens; truncation cuts the text, not them.
  std::vector<int32_t> encode(std::string_view text) const;

  /// Rendered chat text: it brings its special tokens along. Offsets in code points.
  tokenizer::Encoding encode_rendered(std::string_view text) const;

  /// As `encode_rendered`, never cut.
  std::vector<int32_t> encode_rendered_whole(std::string_view text) const;

  bool truncates() const { return max_length_.has_value(); }

  /// The sample for marked tokens: inputs ids[0 .. n-2], labels ids[1 .. n-1] where learnt. A trailing run of
  /// pad tokens is padding to the attention mask, except its first when eos and pad are one. Padded to
  /// seq_length for padding: max_length. Throws Error(kData) for fewer than two tokens.
  Sample package(MarkedTokens tokens) const;

  /// The pad token as the reference picks it: eos when there is none, and also when its id is 0.
  int32_t pad_token_id() const { return pad_token_id_; }

 private:
  const tokenizer::Tokenizer* tokenizer_;
  std::optional<int64_t> max_length_;     ///< cut here
  std::optional<int64_t> padded_length_;  ///< pad to here
  int32_t pad_token_id_ = 0;
};

}  // namespace automodel::data
