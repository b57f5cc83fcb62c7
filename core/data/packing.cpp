#include "core/data/packing.h"

#include <utility>

#include "core/base/error.h"

namespace automodel::data {

PackPlan plan_packs(const std::vector<int64_t>& lengths, int64_t pack_size, int64_t num_max_packs) {
  PackPlan plan;
  for (size_t row = 0; row < lengths.size(); ++row) {
    const int64_t length = lengths[row];
    if (length > pack_size) {
      ++plan.num_too_long;
      continue;
    }
    if (plan.packs.empty() || plan.packs.back().length + length > pack_size) {
      if (num_max_packs > 0 && static_cast<int64_t>(plan.packs.size()) == num_max_packs) break;
      plan.packs.emplace_back();
    }
    plan.packs.back().rows.push_back(static_cast<int64_t>(row));
    plan.packs.back().length += length;
  }
  return plan;
}

Sample join_documents(std::vector<Sample> samples) {
  ensure(!samples.empty(), "a pack without rows");
  Sample joined;
  joined.row = samples.front().row;
  for (const Sample& sample : samples) {
    joined.input_ids.insert(joined.input_ids.end(), sample.input_ids.begin(), sample.input_ids.end());
    joined.labels.insert(joined.labels.end(), sample.labels.begin(), sample.labels.end());
    const auto length = static_cast<int64_t>(sample.input_ids.size());
    joined.document_lengths.push_back(length);
    joined.document_padding.push_back(length - sample.num_real_tokens());
  }
  return joined;
}

}  // namespace automodel::data
