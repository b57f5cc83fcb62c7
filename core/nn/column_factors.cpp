#include "core/nn/column_factors.h"

#include <algorithm>

#include <ATen/ops/empty.h>

namespace automodel::nn {

at::Tensor scale_columns(const at::Tensor& x, const std::vector<std::pair<double, int64_t>>& factors) {
  if (std::ranges::all_of(factors, [](const auto& run) { return run.first == 1; })) return x;
  at::Tensor row = at::empty({x.size(-1)}, x.options().requires_grad(false));
  int64_t column = 0;
  for (const auto& [factor, size] : factors) {
    row.narrow(0, column, size).fill_(factor);
    column += size;
  }
  ensure(column == x.size(-1), "factors for ", column, " columns of ", x.size(-1));
  return x * row;
}

}  // namespace automodel::nn
