#include "core/config/schema/report.h"

namespace automodel::config {

std::string_view name_of(KeyStatus fate) {
  switch (fate) {
    case KeyStatus::kUsed:
      return "used";
    case KeyStatus::kBuiltIn:
      return "built_in";
    case KeyStatus::kInert:
      return "inert";
  }
  return "used";
}

std::string_view name_of(Why why) {
  switch (why) {
    case Why::kUnknownKey:
      return "unknown_key";
    case Why::kBadValue:
      return "bad_value";
    case Why::kNotSupported:
      return "not_supported";
  }
  return "unknown_key";
}

}  // namespace automodel::config
