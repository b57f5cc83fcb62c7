// The table of libautomodel_cuda.so, in that library.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include "core/ops/cuda.h"

namespace automodel::ops {
namespace {

void* current_stream() {
  return c10::cuda::getCurrentCUDAStream().stream();
}

int64_t peak_allocated(int device) {
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
  return stats.allocated_bytes[0].peak;
}

int64_t num_device_allocations(int device) {
  return c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device))
      .num_device_alloc;
}

void forbid_synchronisation(bool forbid) {
  c10::cuda::warning_state().set_sync_debug_mode(forbid ? c10::cuda::SyncDebugMode::L_ERROR
                                                        : c10::cuda::SyncDebugMode::L_DISABLED);
}

const CudaLibrary kLibrary = {
    .current_stream = current_stream,
    .peak_allocated = peak_allocated,
    .num_device_allocations = num_device_allocations,
    .forbid_synchronisation = forbid_synchronisation,
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
    .expert_product = kernels::expert_product_cuda,
    .expert_product_backward = kernels::expert_product_backward_cuda,
    .gated_product = kernels::gated_product_cuda,
    .gated_product_backward = kernels::gated_product_backward_cuda,
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
