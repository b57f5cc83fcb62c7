#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

/// Rows of a table. ids [B, T] int64 -> [B, T, D] of the table's type. Saves ids.
/// Throws Error(kData) naming the largest id when one is outside the table.
at::Tensor embedding(const at::Tensor& ids, const tensor::Weight& table, const OpContext& context);

}  // namespace automodel::ops
