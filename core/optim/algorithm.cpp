#include "core/optim/algorithm.h"

#include "core/base/error.h"

namespace automodel::optim {

extern const Algorithm kAdamW, kAdam, kSgd, kLion;

const Algorithm& algorithm_of(config::OptimizerConfig::Kind kind) {
  for (const Algorithm* algorithm : {&kAdamW, &kAdam, &kSgd, &kLion}) {
    if (algorithm->kind == kind) return *algorithm;
  }
  fail(ErrorCode::kInternal, "no row for optimizer kind ", static_cast<int>(kind));
}

}  // namespace automodel::optim
