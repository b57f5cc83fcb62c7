#include "core/recipes/step_profiler.h"

#include <filesystem>
#include <utility>

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"

namespace automodel::recipes {
namespace {

namespace profiler = torch::autograd::profiler;

std::set<torch::profiler::impl::ActivityType> activities(at::Device device) {
  std::set<torch::profiler::impl::ActivityType> kinds = {torch::profiler::impl::ActivityType::CPU};
  if (device.is_cuda()) kinds.insert(torch::profiler::impl::ActivityType::CUDA);
  return kinds;
}

/// The profiler does not tell of a write that failed: a whole trace is one JSON object.
bool is_whole(const std::string& file) {
  return std::filesystem::exists(file) && trim(read_file(file)).ends_with('}');
}

}  // namespace

StepProfiler::StepProfiler(config::ProfileConfig config, at::Device device)
    : config_(std::move(config)), device_(device) {}

void StepProfiler::next_step() {
  if (config_.file.empty()) return;
  ++step_;
  const bool starts = step_ == config_.first_step;
  const bool ends = step_ == config_.first_step + config_.num_steps;
  if (!starts && !ends) return;
  // The trace begins and ends with an idle device: steps are whole.
  if (device_.is_cuda()) c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
  if (starts) {
    const torch::profiler::impl::ProfilerConfig settings(torch::profiler::impl::ProfilerState::KINETO);
    profiler::prepareProfiler(settings, activities(device_));
    profiler::enableProfiler(settings, activities(device_));
    return;
  }
  profiler::disableProfiler()->save(config_.file);
  if (!is_whole(config_.file)) {
    std::error_code none;
    std::filesystem::remove(config_.file, none);
    fail(ErrorCode::kIo, config_.file, ": cannot write the trace: is the disk full, the file too large?");
  }
  log::info("Trace of ", config_.num_steps, " steps from step ", config_.first_step, ": ", config_.file);
}

}  // namespace automodel::recipes
