#pragma once

#include "core/arch/block_config.h"
#include "core/nn/mixer.h"

namespace automodel::nn {

/// Queries [B, T, N, H] times the factor of their position (QueryScaleConfig); themselves where it is off.
/// The first token of a row stands at `before` unless `tokens` has positions.
at::Tensor scale_queries(const at::Tensor& q_BTNH,
                         const arch::QueryScaleConfig& config,
                         const Tokens& tokens,
                         int64_t before);

}  // namespace automodel::nn
