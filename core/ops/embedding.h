#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// Rows of a table. ids [B, T] int64 -> [B, T, D] of the table's type. Saves ids.
/// `padding_id` names a row that gets no gradient from its lookups (torch's padding_idx); -1: none.
/// On a CPU throws as check_token_ids; on a GPU the caller checks before the upload.
at::Tensor embedding(const at::Tensor& ids,
                     const tensor::Weight& table,
                     const OpContext& context,
                     int64_t padding_id = -1);

/// Throws Error(kData) naming the id when one is outside [0, vocabulary). ids int64 on the CPU.
void check_token_ids(const at::Tensor& ids, int64_t vocabulary);

}  // namespace automodel::ops
