#pragma once

#include <cstdint>
#include <string_view>

namespace automodel {

/// Element types that occur in checkpoints. Names are safetensors' ("F32", "BF16") and torch's ("float32").
enum class DType {
  kFloat32,
  kBFloat16,
  kFloat16,
  kFloat64,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUInt8,
  kBool,
  kFloat8E4M3,
};

int64_t size_of(DType dtype);

std::string_view safetensors_name(DType dtype);
std::string_view torch_name(DType dtype);

/// From "BF16". Throws Error(kFormat) for a type we do not know.
DType dtype_from_safetensors(std::string_view name);

/// From "bfloat16", "torch.bfloat16" or "bf16". Throws Error(kConfig).
DType dtype_from_torch(std::string_view name);

}  // namespace automodel
