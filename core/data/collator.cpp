#include "core/data/collator.h"

#include <algorithm>

#include "core/base/error.h"

namespace automodel::data {
namespace {

/// Writes the documents of one row, `batch.length` numbers each.
void place_documents(const Sample& sample, size_t row, Batch& batch) {
  size_t at = row * static_cast<size_t>(batch.length);
  for (size_t document = 0; document < sample.document_lengths.size(); ++document) {
    const int64_t length = sample.document_lengths[document];
    const int64_t padding = sample.document_padding[document];
    for (int64_t i = 0; i < length - padding; ++i) {
      batch.documents[at + static_cast<size_t>(i)] = static_cast<int32_t>(document);
      batch.positions[at + static_cast<size_t>(i)] = i;
    }
    at += static_cast<size_t>(length);
  }
}

}  // namespace

Batch collate(const std::vector<Sample>& samples, const CollatorOptions& options) {
  ensure(options.pad_seq_len_divisible > 0, "pad_seq_len_divisible ", options.pad_seq_len_divisible);
  size_t longest = 0;
  for (const Sample& sample : samples) longest = std::max(longest, sample.input_ids.size());
  const auto multiple = static_cast<size_t>(options.pad_seq_len_divisible);
  const size_t length = (longest + multiple - 1) / multiple * multiple;

  Batch batch;
  batch.num_rows = static_cast<int64_t>(samples.size());
  batch.length = static_cast<int64_t>(length);
  batch.input_ids.assign(samples.size() * length, options.pad_token_id);
  batch.labels.assign(samples.size() * length, options.ignore_index);
  const bool packed = std::any_of(
      samples.begin(), samples.end(), [](const Sample& s) { return !s.document_lengths.empty(); });
  if (packed) {
    batch.documents.assign(samples.size() * length, -1);
    batch.positions.assign(samples.size() * length, 0);
  }
  for (size_t row = 0; row < samples.size(); ++row) {
    const Sample& sample = samples[row];
    ensure(sample.labels.size() == sample.input_ids.size(), "labels are not as long as input_ids");
    std::copy(sample.input_ids.begin(), sample.input_ids.end(), batch.input_ids.begin() + row * length);
    if (packed) place_documents(sample, row, batch);
    int64_t learnt_end = 0;
    for (size_t i = 0; i < sample.labels.size(); ++i) {
      if (sample.labels[i] == kIgnoreIndex) continue;
      batch.labels[row * length + i] = sample.labels[i];
      ++batch.num_label_tokens;
      learnt_end = static_cast<int64_t>(i) + 1;
    }
    batch.num_tokens += learnt_end;
    batch.lengths.push_back(sample.num_real_tokens());
    batch.rows.push_back(sample.row);
  }
  return batch;
}

}  // namespace automodel::data
