#pragma once

#include <cstdint>
#include <vector>

#include "core/data/batch.h"

namespace automodel::data {

/// Rows that share a sequence, in the set's order.
struct Pack {
  std::vector<int64_t> rows;
  int64_t length = 0;  ///< tokens of all of them
};

struct PackPlan {
  std::vector<Pack> packs;
  int64_t num_too_long = 0;  ///< rows longer than a pack, which are left out
};

/// Next fit in the order of the rows, the reference's `thd` packing: a row joins the open pack if it fits
/// whole, else it opens the next one. lengths: tokens of each row. num_max_packs 0: no limit.
PackPlan plan_packs(const std::vector<int64_t>& lengths, int64_t pack_size, int64_t num_max_packs);

/// One sample out of several, each of them a document that sees only itself. `row` is the first one's.
Sample join_documents(std::vector<Sample> samples);

}  // namespace automodel::data
