#pragma once

#include <string>

#include "core/base/error.h"
#include "core/families/families.h"

namespace automodel::families {

/// The weight names of a built-in family, for configs that a test makes by hand.
inline arch::WeightNames names_of(const std::string& family) {
  for (const Family& known : load_families()) {
    if (known.name == family) return known.weights;
  }
  fail(ErrorCode::kInternal, "no family ", family);
}

}  // namespace automodel::families
