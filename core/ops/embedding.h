#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// Rows of a table. ids [B, T] int64 -> [B, T, D] of the table's type. Saves ids.
/// `padding_id` names a row that gets no gradient from its lookups (torch's padding_idx); -1: none.
/// Throws Error(kData) naming the largest id when one is outside the table.
at::Tensor embedding(const at::Tensor& ids,
                     const tensor::Weight& table,
                     const OpContext& context,
                     int64_t padding_id = -1);

}  // namespace automodel::ops
