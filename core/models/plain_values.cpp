#include "core/models/plain_values.h"

#include <ATen/ops/from_blob.h>

#include "core/tensor/dequantize.h"
#include "core/tensor/dtype.h"

namespace automodel::models {
namespace {

/// A tensor of a file, without a copy; only to be read.
at::Tensor view_of(const io::TensorView& stored) {
  // from_blob wants a mutable pointer.
  return at::from_blob(
      const_cast<std::byte*>(stored.data), stored.shape, at::dtype(tensor::to_torch(stored.dtype)));
}

}  // namespace

at::Tensor plain_values(const weights::MatchedWeight& matched,
                        const arch::QuantizationConfig& quantization,
                        at::ScalarType type) {
  const at::Tensor stored = view_of(*matched.tensor);
  if (!matched.scales) return stored;
  const at::Tensor scales = view_of(*matched.scales);
  if (quantization.kind == arch::QuantizationConfig::Kind::kMxfp4)
    return tensor::from_mxfp4(stored, scales, type);
  return tensor::from_fp8_blocks(stored, scales, quantization.block_rows, quantization.block_columns, type);
}

}  // namespace automodel::models
