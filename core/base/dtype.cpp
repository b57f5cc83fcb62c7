#include "core/base/dtype.h"

#include <array>

#include "core/base/error.h"

namespace automodel {
namespace {

struct Row {
  DType dtype;
  int64_t size_bytes;
  std::string_view safetensors;
  std::string_view torch;
  std::string_view alias;
};

constexpr std::array kTable = {
    Row{DType::kFloat32, 4, "F32", "float32", "fp32"},
    Row{DType::kBFloat16, 2, "BF16", "bfloat16", "bf16"},
    Row{DType::kFloat16, 2, "F16", "float16", "fp16"},
    Row{DType::kFloat64, 8, "F64", "float64", "double"},
    Row{DType::kInt64, 8, "I64", "int64", "long"},
    Row{DType::kInt32, 4, "I32", "int32", "int"},
    Row{DType::kInt16, 2, "I16", "int16", "short"},
    Row{DType::kInt8, 1, "I8", "int8", "char"},
    Row{DType::kUInt8, 1, "U8", "uint8", "byte"},
    Row{DType::kBool, 1, "BOOL", "bool", "bool"},
    Row{DType::kFloat8E4M3, 1, "F8_E4M3", "float8_e4m3fn", "fp8"},
};

const Row& row_of(DType dtype) {
  for (const Row& row : kTable) {
    if (row.dtype == dtype) return row;
  }
  fail(ErrorCode::kInternal, "dtype ", static_cast<int>(dtype), " is not in the table");
}

}  // namespace

int64_t size_of(DType dtype) {
  return row_of(dtype).size_bytes;
}

std::string_view safetensors_name(DType dtype) {
  return row_of(dtype).safetensors;
}

std::string_view torch_name(DType dtype) {
  return row_of(dtype).torch;
}

DType dtype_from_safetensors(std::string_view name) {
  for (const Row& row : kTable) {
    if (row.safetensors == name) return row.dtype;
  }
  fail(ErrorCode::kFormat,
       "element type \"",
       name,
       "\" is not one of F32 BF16 F16 F64 I64 I32 I16 I8 U8 BOOL F8_E4M3");
}

DType dtype_from_torch(std::string_view name) {
  if (name.starts_with("torch.")) name.remove_prefix(6);
  for (const Row& row : kTable) {
    if (row.torch == name || row.alias == name) return row.dtype;
  }
  fail(ErrorCode::kConfig, "\"", name, "\" is not a type; expected float32, bfloat16 or float16");
}

}  // namespace automodel
