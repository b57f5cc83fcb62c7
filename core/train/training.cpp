#include "core/train/training.h"

#include <algorithm>
#include <cstdlib>

#include <ATen/Context.h>

#include "core/base/error.h"
#include "core/models/unit_types.h"
#include "core/ops/cuda/cuda.h"
#include "core/train/metrics.h"
#include "core/train/peak_rate.h"

namespace automodel::train {
namespace {

engine::Recompute recompute_of(config::RecomputeLevel level) {
  switch (level) {
    case config::RecomputeLevel::kNone:
      return engine::Recompute::kNone;
    case config::RecomputeLevel::kCheap:
      return engine::Recompute::kCheap;
    case config::RecomputeLevel::kBlock:
      return engine::Recompute::kBlock;
  }
  fail(ErrorCode::kInternal, "recompute level ", static_cast<int>(level));
}

engine::Graphs graphs_of(config::CudaGraphs graphs) {
  switch (graphs) {
    case config::CudaGraphs::kAuto:
      return engine::Graphs::kAuto;
    case config::CudaGraphs::kOn:
      return engine::Graphs::kOn;
    case config::CudaGraphs::kOff:
      return engine::Graphs::kOff;
  }
  fail(ErrorCode::kInternal, "cuda_graphs ", static_cast<int>(graphs));
}

/// LibTorch's own switch: its operators and cuDNN's attention then give the same bits, or say that they
/// cannot.
void be_deterministic() {
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*replace=*/0);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}

/// On a GPU with a stream of this run's own, which can be captured.
LoadedModel load_for_training(const config::Recipe& recipe) {
  const at::Device device = ops::find_device(recipe.device);
  if (device.is_cuda() && recipe.deterministic) be_deterministic();
  if (device.is_cuda() && recipe.cuda_graphs != config::CudaGraphs::kOff)
    ops::cuda().leave_default_stream(device.index());
  return load_model(recipe);
}

}  // namespace

Training::Training(const config::Recipe& r)
    : recipe(r),
      model(load_for_training(r)),
      units(model.decoder.unit_pointers()),
      walk(model.decoder.segment_pointers(),
           units,
           {.recompute = recompute_of(r.distributed.recompute), .graphs = graphs_of(r.cuda_graphs)}),
      optimizer(r.optimizer, units, static_cast<uint64_t>(r.seed)),
      cost(weights::cost_of(model.decoder.config)),
      has_experts(std::ranges::any_of(
          model.decoder.config.layers,
          [](const arch::LayerConfig& layer) { return layer.feed_forward == arch::FeedForwardKind::kMoe; })),
      device(models::device_of(model.decoder)) {
  narrow_gradients(model.decoder, recipe);
}

double Training::take_peak_memory_gib() const {
  if (device.is_cpu()) return peak_process_memory_gib();
  const int64_t peak = ops::cuda().peak_allocated(device.index());
  if (walk.num_graphs() == 0) ops::cuda().reset_peak(device.index());
  return static_cast<double>(peak) / (1 << 30);
}

std::optional<double> Training::peak_tflops() const {
  if (recipe.mfu_peak_tflops || device.is_cpu()) return recipe.mfu_peak_tflops;
  return stated_peak_tflops(ops::cuda().device_name(device.index()));
}

}  // namespace automodel::train
