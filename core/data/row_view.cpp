#include "core/data/row_view.h"

#include <algorithm>

namespace automodel::data {
namespace {

std::string text_of(const std::vector<int32_t>& ids, const tokenizer::Tokenizer* tokenizer) {
  if (tokenizer != nullptr) return tokenizer->decode(ids, /*skip_special_tokens=*/false);
  std::string text;
  for (const int32_t id : ids) text += std::to_string(id) + " ";
  return text;
}

/// Bytes that both begin with, whole characters only.
size_t common_characters(const std::string& a, const std::string& b) {
  const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  auto bytes = static_cast<size_t>(differs.second - b.begin());
  const auto is_continued = [&](size_t at) { return at < b.size() && (b[at] & 0xC0) == 0x80; };
  while (bytes > 0 && is_continued(bytes)) --bytes;
  return bytes;
}

}  // namespace

RowView view_row(const Sample& sample, const tokenizer::Tokenizer* tokenizer) {
  RowView view;
  const auto num_real = static_cast<size_t>(sample.num_real_tokens());
  view.num_tokens = sample.num_real_tokens() + 1;
  view.num_padding = static_cast<int64_t>(sample.input_ids.size() - num_real);
  const auto is_learnt = [&](size_t token) { return token > 0 && sample.labels[token - 1] != kIgnoreIndex; };
  std::vector<int32_t> ids(sample.input_ids.begin(),
                           sample.input_ids.begin() + static_cast<int64_t>(num_real));
  if (num_real > 0 && is_learnt(num_real)) ids.push_back(sample.labels[num_real - 1]);

  std::string shown;  // text of the ids so far: a decoder may write a token otherwise when it stands alone
  for (size_t i = 0; i < ids.size(); ++i) {
    view.num_learnt += is_learnt(i) ? 1 : 0;
    view.ids.push_back(ids[i]);
    if (i + 1 < ids.size() && is_learnt(i + 1) == is_learnt(i)) continue;
    const std::string whole = text_of(view.ids, tokenizer);
    view.pieces.push_back({whole.substr(common_characters(shown, whole)), is_learnt(i)});
    shown = whole;
  }
  return view;
}

}  // namespace automodel::data
