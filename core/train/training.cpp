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

}  // namespace

dist::Context make_context(const config::Recipe& recipe, int64_t world_size, int64_t rank) {
  dist::Context context{.mesh = dist::Mesh::from_recipe(recipe.distributed, world_size, rank),
                        .device = ops::find_device(recipe.device),
                        .deterministic = recipe.deterministic};
  if (context.device.is_cpu()) return context;
  if (context.deterministic) be_deterministic();
  if (recipe.cuda_graphs != config::CudaGraphs::kOff)
    ops::cuda().leave_default_stream(context.device.index());
  return context;
}

Training::Training(const config::Recipe& r, const dist::Context& c)
    : recipe(r),
      context(c),
      model(load_model(r)),
      units(model.decoder.unit_pointers()),
      executor(model.decoder.segment_pointers(),
               units,
               c.device,
               {.executor = {.recompute = recompute_of(r.distributed.recompute)},
                .graphs = graphs_of(r.cuda_graphs)}),
      optimizer(r.optimizer, units, static_cast<uint64_t>(r.seed)),
      cost(weights::cost_of(model.decoder.config)),
      has_experts(std::ranges::any_of(model.decoder.config.layers, [](const arch::LayerConfig& layer) {
        return layer.feed_forward == arch::FeedForwardKind::kMoe;
      })) {
  ensure(models::device_of(model.decoder) == context.device,
         "the model lies on another device than its rank's");
  choose_grad_dtypes(model.decoder, recipe);
}

double Training::take_peak_memory_gib() const {
  if (context.device.is_cpu()) return peak_process_memory_gib();
  const int64_t peak = ops::cuda().peak_allocated(context.device.index());
  if (executor.num_graphs() == 0) ops::cuda().reset_peak(context.device.index());
  return static_cast<double>(peak) / (1 << 30);
}

std::optional<double> Training::peak_tflops() const {
  if (recipe.mfu_peak_tflops || context.device.is_cpu()) return recipe.mfu_peak_tflops;
  return stated_peak_tflops(ops::cuda().device_name(context.device.index()));
}

}  // namespace automodel::train
