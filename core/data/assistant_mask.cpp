#include "core/data/assistant_mask.h"

#include <algorithm>

#include "core/data/batch.h"

namespace automodel::data {
namespace {

using Span = std::pair<int64_t, int64_t>;

/// The first token that holds the character, or nullopt.
std::optional<size_t> token_of(const std::vector<Span>& offsets, int64_t character) {
  const auto found = std::find_if(offsets.begin(), offsets.end(), [character](const Span& token) {
    return token.first <= character && character < token.second;
  });
  if (found == offsets.end()) return std::nullopt;
  return static_cast<size_t>(found - offsets.begin());
}

}  // namespace

std::vector<uint8_t> mask_of_spans(const std::vector<Span>& offsets, const std::vector<Span>& spans) {
  std::vector<uint8_t> mask(offsets.size(), 0);
  for (const auto& [begin, end] : spans) {
    const std::optional<size_t> first = token_of(offsets, begin);
    const std::optional<size_t> last = token_of(offsets, end - 1);
    if (!first) break;
    // transformers tests the last token's index for truth, so index 0 counts as not found.
    const size_t mask_end = last.value_or(0) > 0 ? *last + 1 : offsets.size();
    for (size_t i = *first; i < mask_end; ++i) mask[i] = 1;
  }
  return mask;
}

bool is_rendered_prefix(const std::vector<int32_t>& prefix,
                        const std::vector<int32_t>& whole,
                        std::optional<int32_t> terminator) {
  if (prefix.size() > whole.size()) return false;
  const auto [differs, other] = std::mismatch(prefix.begin(), prefix.end(), whole.begin());
  if (differs == prefix.end()) return true;
  return prefix.size() > 1 && differs + 1 == prefix.end() && terminator && prefix.back() == *terminator;
}

std::optional<Span> differing_span(const std::vector<int32_t>& whole, const std::vector<int32_t>& shortened) {
  const size_t common = std::min(whole.size(), shortened.size());
  size_t head = 0;
  while (head < common && whole[head] == shortened[head]) ++head;
  size_t tail = 0;
  while (tail < common - head && whole[whole.size() - 1 - tail] == shortened[shortened.size() - 1 - tail])
    ++tail;
  const auto begin = static_cast<int64_t>(head);
  const auto end = static_cast<int64_t>(whole.size() - tail);
  if (end <= begin) return std::nullopt;
  return Span{begin, end};
}

void keep_last_run(std::vector<int32_t>& labels) {
  auto at = labels.rbegin();
  while (at != labels.rend() && *at == kIgnoreIndex) ++at;
  while (at != labels.rend() && *at != kIgnoreIndex) ++at;
  std::fill(at, labels.rend(), static_cast<int32_t>(kIgnoreIndex));
}

}  // namespace automodel::data
