#include "core/train/step_profiler.h"

#include <filesystem>
#include <utility>

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/strings.h"

namespace automodel::train {
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

StepProfiler::~StepProfiler() {
  if (!tracing_) return;  // else a run ends by an error: LibTorch's profiler may not outlive main
  try {
    profiler::disableProfiler();
  } catch (const std::exception& error) {
    log::warning("the profiler cannot be stopped: ", error.what());
  }
}

void StepProfiler::next_step() {
  if (config_.file.empty()) return;
  ++step_;
  if (step_ == config_.first_step + config_.num_steps) save();
  if (step_ != config_.first_step) return;
  wait_for_device();
  const torch::profiler::impl::ProfilerConfig settings(torch::profiler::impl::ProfilerState::KINETO);
  profiler::prepareProfiler(settings, activities(device_));
  profiler::enableProfiler(settings, activities(device_));
  tracing_ = true;
}

void StepProfiler::end() {
  if (config_.file.empty()) return;
  ++step_;
  if (tracing_) {
    save();
  } else if (step_ <= config_.first_step) {
    log::warning("profile.first_step ",
                 config_.first_step,
                 ": the run ended before it, after ",
                 step_,
                 step_ == 1 ? " step" : " steps",
                 "; there is no trace");
  }
}

/// The trace begins and ends with an idle device: steps are whole.
void StepProfiler::wait_for_device() const {
  if (device_.is_cuda()) c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
}

void StepProfiler::save() {
  wait_for_device();
  tracing_ = false;
  profiler::disableProfiler()->save(config_.file);
  if (!is_whole(config_.file)) {
    std::error_code none;
    std::filesystem::remove(config_.file, none);
    fail(ErrorCode::kIo, config_.file, ": cannot write the trace: is the disk full, the file too large?");
  }
  const int64_t steps = step_ - config_.first_step;
  log::info("Trace of ",
            steps,
            steps == 1 ? " step" : " steps",
            " from step ",
            config_.first_step,
            ": ",
            config_.file);
}

}  // namespace automodel::train
