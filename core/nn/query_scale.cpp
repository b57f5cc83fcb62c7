#include "core/nn/query_scale.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/div.h>
#include <ATen/ops/log1p.h>

namespace automodel::nn {

at::Tensor scale_queries(const at::Tensor& q_BTNH,
                         const arch::QueryScaleConfig& config,
                         const Tokens& tokens,
                         int64_t before) {
  if (config.beta == 0) return q_BTNH;
  at::Tensor positions = tokens.positions_BT;
  if (!positions.defined()) {
    const auto options = q_BTNH.options().dtype(at::kLong);
    positions = at::arange(before, before + q_BTNH.size(1), options).unsqueeze(0);
  }
  const at::Tensor intervals = at::div(positions + config.offset, config.interval, "floor");
  const at::ScalarType type = q_BTNH.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor factors = at::log1p(intervals.to(type)) * config.beta + 1;
  return (q_BTNH * factors.unsqueeze(2).unsqueeze(3)).to(q_BTNH.scalar_type());
}

}  // namespace automodel::nn
