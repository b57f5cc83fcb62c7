#include "core/tensor/dtype.h"

#include <array>
#include <utility>

namespace automodel::tensor {
namespace {

constexpr std::array kPairs = {
    std::pair{DType::kFloat32, at::kFloat},
    std::pair{DType::kBFloat16, at::kBFloat16},
    std::pair{DType::kFloat16, at::kHalf},
    std::pair{DType::kFloat64, at::kDouble},
    std::pair{DType::kInt64, at::kLong},
    std::pair{DType::kInt32, at::kInt},
    std::pair{DType::kInt16, at::kShort},
    std::pair{DType::kInt8, at::kChar},
    std::pair{DType::kUInt8, at::kByte},
    std::pair{DType::kBool, at::kBool},
    std::pair{DType::kFloat8E4M3, at::kFloat8_e4m3fn},
};

}  // namespace

at::ScalarType to_torch(DType dtype) {
  for (const auto& [ours, theirs] : kPairs) {
    if (ours == dtype) return theirs;
  }
  fail(ErrorCode::kInternal, "no torch type for ", torch_name(dtype));
}

DType from_torch(at::ScalarType dtype) {
  for (const auto& [ours, theirs] : kPairs) {
    if (theirs == dtype) return ours;
  }
  fail(ErrorCode::kUnsupported, "tensors of type ", c10::toString(dtype), " are not stored in checkpoints");
}

void check_shape(const at::Tensor& x, at::IntArrayRef shape, std::string_view what) {
  check(
      x.sizes() == shape, ErrorCode::kInvalidArgument, what, " has shape ", x.sizes(), ", expected ", shape);
}

}  // namespace automodel::tensor
