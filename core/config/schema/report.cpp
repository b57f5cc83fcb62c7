#include "core/config/schema/report.h"

namespace automodel::config {

std::string_view name_of(Fate fate) {
  switch (fate) {
    case Fate::kUsed:
      return "used";
    case Fate::kBuiltIn:
      return "built_in";
    case Fate::kInert:
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
