#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/torch.h"

#include "core/ops/linear.h"

namespace automodel::ops {

/// Dropout whose draws are a pure function of (seed, step, global row, token, site, channel): the same under
/// recomputation, after a resume, and however the rows are spread over micro-batches and ranks.
///
/// seed, step   of the run
/// rows         [B], index of each row in the source
/// length       T, tokens of a row
/// returns      [B T] int64, one key a token; on the CPU
at::Tensor dropout_keys(uint64_t seed, int64_t step, const std::vector<int64_t>& rows, int64_t length);

/// A dropout's number from its place in the model, "model.layers.0.self_attn.q_proj": FNV-1a of the name.
uint64_t dropout_site(const std::string& place);

/// Srivastava et al. 2014: zero with probability p, else 1 / (1 - p).
///
/// keys     [rows] int64 from dropout_keys
/// site     which of the model's dropouts this is
/// p        in [0, 1)
/// returns  [rows, width] of type and device of `like`; equal on every device
at::Tensor dropout_mask(
    const at::Tensor& keys, uint64_t site, int64_t width, double p, const at::Tensor& like);

/// x [B, T, D] times a mask of its own, in training: where the context has keys and p is above 0; else x
/// itself. Saves nothing but the mask.
at::Tensor dropout(const at::Tensor& x_BTD, double p, uint64_t site, const OpContext& context);

/// dropout_mask by ATen's operators, in several passes: what a device without a loop of its own
/// runs.
at::Tensor dropout_mask_by_operators(
    const at::Tensor& keys, uint64_t site, int64_t width, double p, const at::Tensor& like);

}  // namespace automodel::ops
