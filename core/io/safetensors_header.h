#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/dtype.h"

namespace automodel::io {

/// One entry of a safetensors header; the range counts from the end of the header.
struct HeaderEntry {
  std::string name;
  DType dtype{};
  std::vector<int64_t> shape;
  int64_t begin = 0;
  int64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> tensors;  ///< in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// Reads the JSON of a header and checks that its ranges tile [0, data_bytes) exactly and fit their shapes.
/// Trusts nothing: any text gives a header or Error(kFormat) naming `origin` and the tensor.
SafetensorsHeader parse_safetensors_header(std::string_view text,
                                           int64_t data_bytes,
                                           const std::string& origin);

}  // namespace automodel::io
