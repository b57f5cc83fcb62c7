#pragma once

#include <cstdint>
#include <string>

#include "core/base/strings.h"

namespace automodel {

/// counted(1, "file") -> "1 file"; counted(1200, "file") -> "1,200 files".
inline std::string counted(int64_t count, const std::string& noun) {
  return with_thousands(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace automodel
