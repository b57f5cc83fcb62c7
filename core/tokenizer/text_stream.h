#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace automodel::tokenizer {

/// Decodes ids that come one at a time into text that only grows: whole characters, never a replacement
/// character for one that is still coming, and nothing that may turn out to be the beginning of a stop text.
/// Special tokens are left out. The tokenizer outlives the stream.
class TextStream {
 public:
  /// `stops`: the text ends before the first of these. None may be empty.
  TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops);

  /// The text that is certain after one more id; empty while nothing is, and once stopped() is true.
  std::string push(int32_t id);

  /// No more ids come: what was held back.
  std::string finish();

  /// Whether a stop text came up.
  bool stopped() const { return stopped_; }

 private:
  std::string decode_new(bool last);
  std::string release(const std::string& decoded, bool last);

  const Tokenizer& tokenizer_;
  std::vector<std::string> stops_;
  // Decoding needs a few ids before the new ones (a decoder may treat the first one differently), not all.
  std::vector<int32_t> window_;
  size_t num_settled_ = 0;  ///< ids of the window whose text is out as a whole
  std::string out_;         ///< what was given of the window's text
  std::string held_;        ///< decoded, but perhaps the beginning of a stop text
  bool stopped_ = false;
};

}  // namespace automodel::tokenizer
