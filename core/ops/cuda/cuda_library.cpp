// The table of libautomodel_cuda.so, in that library.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "core/base/log.h"
#include "core/ops/cuda/cuda.h"

namespace automodel::ops {
namespace {

void* current_stream() {
  return c10::cuda::getCurrentCUDAStream().stream();
}

void set_device(int device) {
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
}

std::string device_name(int device) {
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  return properties.name;
}

int64_t peak_allocated(int device) {
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
  return stats.allocated_bytes[0].peak;
}

void reset_peak(int device) {
  c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(device));
}

int64_t num_device_allocations(int device) {
  return c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device))
      .num_device_alloc;
}

void forbid_synchronisation(bool forbid) {
  c10::cuda::warning_state().set_sync_debug_mode(forbid ? c10::cuda::SyncDebugMode::L_ERROR
                                                        : c10::cuda::SyncDebugMode::L_DISABLED);
}

void leave_default_stream(int device) {
  const auto index = static_cast<c10::DeviceIndex>(device);
  c10::cuda::getCurrentCUDAStream(index).synchronize();
  c10::cuda::setCurrentCUDAStream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, index));
}

int64_t allocated(int device) {
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
  return stats.allocated_bytes[0].current;
}

int64_t free_memory(int device) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  c10::cuda::getCurrentCUDAStream().synchronize();
  c10::cuda::CUDACachingAllocator::emptyCache();
  size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return static_cast<int64_t>(free);
}

c10::MempoolId_t pool_id(uint64_t pool) {
  return {pool, 0};
}

void begin_capture(int device, uint64_t pool) {
  const auto index = static_cast<c10::DeviceIndex>(device);
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream(index).stream();
  c10::cuda::CUDACachingAllocator::beginAllocateToPool(
      index, pool_id(pool), [stream](cudaStream_t other) { return other == stream; });
  // Other threads may go on: they do not touch this stream.
  const cudaError_t status = cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  if (status == cudaSuccess) return;
  c10::cuda::CUDACachingAllocator::endAllocateToPool(index, pool_id(pool));
  c10::cuda::CUDACachingAllocator::releasePool(index, pool_id(pool));
  C10_CUDA_CHECK(status);
}

void* end_capture(int device, uint64_t pool) {
  const auto index = static_cast<c10::DeviceIndex>(device);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream(index).stream();
  cudaError_t status = cudaStreamEndCapture(stream, &graph);
  c10::cuda::CUDACachingAllocator::endAllocateToPool(index, pool_id(pool));
  if (status == cudaSuccess) status = cudaGraphInstantiate(&executable, graph, 0);
  if (graph != nullptr) C10_CUDA_CHECK(cudaGraphDestroy(graph));
  if (status == cudaSuccess) return executable;
  (void)cudaGetLastError();  // the error of the capture is told by the null
  c10::cuda::CUDACachingAllocator::releasePool(index, pool_id(pool));
  return nullptr;
}

void launch_graph(int device, void* graph) {
  const auto stream = c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device)).stream();
  C10_CUDA_CHECK(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream));
}

void free_graph(int device, uint64_t pool, void* graph) noexcept {
  // Called while an error of the device unwinds, too: every call here gives that error once more.
  try {
    const auto index = static_cast<c10::DeviceIndex>(device);
    // Work that was launched may still run.
    C10_CUDA_CHECK_WARN(cudaStreamSynchronize(c10::cuda::getCurrentCUDAStream(index).stream()));
    C10_CUDA_CHECK_WARN(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)));
    c10::cuda::CUDACachingAllocator::releasePool(index, pool_id(pool));
  } catch (const std::exception& error) {
    log::warning("CUDA graphs: memory of captured work is not given back: ", error.what());
  }
}

const CudaLibrary kLibrary = {
    .current_stream = current_stream,
    .set_device = set_device,
    .device_name = device_name,
    .peak_allocated = peak_allocated,
    .reset_peak = reset_peak,
    .num_device_allocations = num_device_allocations,
    .forbid_synchronisation = forbid_synchronisation,
    .leave_default_stream = leave_default_stream,
    .allocated = allocated,
    .free_memory = free_memory,
    .begin_capture = begin_capture,
    .end_capture = end_capture,
    .launch_graph = launch_graph,
    .free_graph = free_graph,
    .adamw_f32 = kernels::adamw_f32_cuda,
    .adamw_bf16 = kernels::adamw_bf16_cuda,
    .adamw_bf16_stochastic = kernels::adamw_bf16_stochastic_cuda,
    .causal_conv = kernels::causal_conv_cuda,
    .causal_conv_parts = kernels::causal_conv_parts_cuda,
    .causal_conv_backward = kernels::causal_conv_backward_cuda,
    .chunk_scan = kernels::chunk_scan_cuda,
    .combine_rows = kernels::combine_rows_cuda,
    .cross_entropy = kernels::cross_entropy_cuda,
    .embedding_grad = kernels::embedding_grad_cuda,
    .gated_norm_forward = kernels::gated_norm_forward_cuda,
    .gated_norm_backward = kernels::gated_norm_backward_cuda,
    .expert_glu = kernels::expert_glu_cuda,
    .expert_glu_backward = kernels::expert_glu_backward_cuda,
    .glu = kernels::glu_cuda,
    .glu_backward = kernels::glu_backward_cuda,
    .lion = kernels::lion_cuda,
    .qk_norm_rope = kernels::qk_norm_rope_cuda,
    .qk_norm_rope_parts = kernels::qk_norm_rope_parts_cuda,
    .qk_norm_rope_backward = kernels::qk_norm_rope_backward_cuda,
    .qkv_rope = kernels::qkv_rope_cuda,
    .rms_norm_forward = kernels::rms_norm_forward_cuda,
    .rms_norm_apply = kernels::rms_norm_apply_cuda,
    .rms_norm_parts = kernels::rms_norm_parts_cuda,
    .rms_norm_backward = kernels::rms_norm_backward_cuda,
    .sgd = kernels::sgd_cuda,
    .sum_squares = kernels::sum_squares_cuda,
};

}  // namespace
}  // namespace automodel::ops

extern "C" const automodel::ops::CudaLibrary* automodel_cuda() {
  return &automodel::ops::kLibrary;
}
