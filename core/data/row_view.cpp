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
    const auto differs = std::mismatch(shown.begin(), shown.end(), whole.begin(), whole.end());
    view.pieces.push_back({std::string(differs.second, whole.end()), is_learnt(i)});
    shown = whole;
  }
  return view;
}

}  // namespace automodel::data
