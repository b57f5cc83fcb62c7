#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace automodel::data {

/// Marks the tokens that hold the characters of `spans` ([begin, end) in code points), as transformers'
/// return_assistant_tokens_mask does: from the token of a span's first character to that of its last; to the
/// end when no token holds the last; nothing more once no token holds a first (the text was cut there).
std::vector<uint8_t> mask_of_spans(const std::vector<std::pair<int64_t, int64_t>>& offsets,
                                   const std::vector<std::pair<int64_t, int64_t>>& spans);

/// Whether `prefix`, the tokens of a conversation's beginning rendered alone, begins `whole`. A last token
/// that is `terminator` may differ: templates close a conversation with it.
bool is_rendered_prefix(const std::vector<int32_t>& prefix,
                        const std::vector<int32_t>& whole,
                        std::optional<int32_t> terminator);

/// The tokens [begin, end) of `whole` that are not in `shortened`: between their common beginning and their
/// common end. nullopt when there are none.
std::optional<std::pair<int64_t, int64_t>> differing_span(const std::vector<int32_t>& whole,
                                                          const std::vector<int32_t>& shortened);

/// Leaves only the last unbroken run of labels that are learnt (mask_history).
void keep_last_run(std::vector<int32_t>& labels);

}  // namespace automodel::data
