#include "core/tensor/dequantize.h"

#include <array>

#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ldexp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

namespace automodel::tensor {

at::Tensor from_fp8_blocks(const at::Tensor& x,
                           const at::Tensor& scales,
                           int64_t block_rows,
                           int64_t block_columns,
                           at::ScalarType type) {
  at::Tensor value = x.to(at::kFloat);
  const at::Tensor by_rows = scales.to(at::kFloat).repeat_interleave(block_rows, 0).narrow(0, 0, x.size(0));
  const at::Tensor whole = by_rows.repeat_interleave(block_columns, 1).narrow(1, 0, x.size(1));
  return value.mul_(whole).to(type);
}

at::Tensor from_mxfp4(const at::Tensor& blocks, const at::Tensor& scales, at::ScalarType type) {
  constexpr std::array<float, 16> kValues = {
      0.0F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F, 4.0F, 6.0F, -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};
  const at::Tensor values = at::tensor(at::ArrayRef<float>(kValues.data(), kValues.size()), at::kFloat);
  const int64_t out = blocks.size(1);
  const int64_t in = blocks.size(2) * blocks.size(3) * 2;
  at::Tensor whole = at::empty({blocks.size(0), in, out}, at::dtype(type));
  for (int64_t e = 0; e < blocks.size(0); ++e) {
    const at::Tensor low = at::bitwise_and(blocks[e], 15).to(at::kLong).reshape({-1});
    const at::Tensor high = at::bitwise_right_shift(blocks[e], 4).to(at::kLong).reshape({-1});
    const at::Tensor pairs = at::stack({values.index_select(0, low), values.index_select(0, high)}, 1);
    const at::Tensor exponents = (scales[e].to(at::kFloat) - 127).unsqueeze(2);
    const at::Tensor rows = at::ldexp(pairs.view({out, blocks.size(2), -1}), exponents);
    whole[e].copy_(rows.view({out, in}).t());
  }
  return whole;
}

}  // namespace automodel::tensor
