#include "core/io/finite.h"

#include <cstring>

namespace automodel::io {
namespace {

/// A value is not finite when all bits of its exponent are set.
template <class Bits>
int64_t count_with_exponent(const TensorView& tensor, Bits exponent) {
  int64_t count = 0;
  for (int64_t at = 0; at < tensor.size_bytes; at += static_cast<int64_t>(sizeof(Bits))) {
    Bits bits;
    std::memcpy(&bits, tensor.data + at, sizeof bits);  // tensors of foreign files may lie anywhere
    count += (bits & exponent) == exponent ? 1 : 0;
  }
  return count;
}

}  // namespace

int64_t count_non_finite(const TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::kFloat32:
      return count_with_exponent<uint32_t>(tensor, 0x7f800000u);
    case DType::kBFloat16:
      return count_with_exponent<uint16_t>(tensor, 0x7f80);
    case DType::kFloat16:
      return count_with_exponent<uint16_t>(tensor, 0x7c00);
    case DType::kFloat64:
      return count_with_exponent<uint64_t>(tensor, 0x7ff0000000000000ull);
    default:
      return 0;
  }
}

}  // namespace automodel::io
