#pragma once

#include <cstdint>

#include "core/tensor/torch.h"

#include "core/config/recipe/recipe.h"

namespace automodel::train {

/// Traces some steps of a run with LibTorch's profiler (Kineto) and writes the trace when they are done. One
/// thread.
class StepProfiler {
 public:
  StepProfiler(config::ProfileConfig config, at::Device device);
  ~StepProfiler();
  StepProfiler(const StepProfiler&) = delete;
  StepProfiler& operator=(const StepProfiler&) = delete;

  /// Call before each step of the process. Throws Error(kIo) when the trace cannot be written.
  void next_step();

  /// Call behind the last step: writes what there is, or warns that the run was too short for a trace.
  void end();

 private:
  void wait_for_device() const;
  void save();

  config::ProfileConfig config_;
  at::Device device_;
  int64_t step_ = -1;
  bool tracing_ = false;
};

}  // namespace automodel::train
