#pragma once

#include <cstdint>
#include <optional>

#include "core/config/recipe/recipe.h"
#include "core/data/loader.h"
#include "core/train/metrics.h"

namespace automodel::train {

/// A step of more rows than an epoch has is made of fewer: it ends with the epoch.
void warn_of_large_step(const config::Recipe& recipe, const data::Loader& loader);

/// Says once that a run goes astray: its loss is far above where it began and above that of guessing.
class DivergenceWatch {
 public:
  explicit DivergenceWatch(int64_t vocab_size);

  void look_at(const TrainRecord& record);

 private:
  double guessing_;  ///< loss of a model that knows nothing
  std::optional<double> first_;
  bool warned_ = false;
};

}  // namespace automodel::train
