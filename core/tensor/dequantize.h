#pragma once

#include "core/tensor/torch.h"

namespace automodel::tensor {

/// value = float8 * scale of its block, the product formed in float32.
/// x [rows, columns] float8 e4m3; scales [ceil(rows / block_rows), ceil(columns / block_columns)] floating.
/// Returns [rows, columns] of `type`. Source: DeepSeek-AI 2024, arXiv:2412.19437, weight_scale_inv.
at::Tensor from_fp8_blocks(const at::Tensor& x,
                           const at::Tensor& scales,
                           int64_t block_rows,
                           int64_t block_columns,
                           at::ScalarType type);

/// value = e2m1 * 2^(scale - 127), two values a byte, the first in the low half. Exact in bf16 and f32.
/// blocks [experts, out, in / 32, 16] bytes; scales [experts, out, in / 32] bytes. Returns [experts, in, out]
/// of `type`. Source: OCP Microscaling Formats 1.0; convert_moe_packed_tensors of transformers.
at::Tensor from_mxfp4(const at::Tensor& blocks, const at::Tensor& scales, at::ScalarType type);

}  // namespace automodel::tensor
