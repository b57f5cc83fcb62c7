#pragma once

#include <cstdint>

#include "core/tensor/torch.h"

#include "core/config/recipe.h"

namespace automodel::recipes {

/// Traces some steps of a run with LibTorch's profiler (Kineto) and writes the trace when they are done. One
/// thread.
class StepProfiler {
 public:
  StepProfiler(config::ProfileConfig config, at::Device device);

  /// Call before each step of the process. Throws Error(kIo) when the trace cannot be written.
  void next_step();

 private:
  config::ProfileConfig config_;
  at::Device device_;
  int64_t step_ = -1;
};

}  // namespace automodel::recipes
