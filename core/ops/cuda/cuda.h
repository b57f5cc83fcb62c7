#pragma once

#include <string>

#include "core/tensor/torch.h"

#include "core/kernels/adamw.h"
#include "core/kernels/causal_conv.h"
#include "core/kernels/chunk_scan.h"
#include "core/kernels/combine_rows.h"
#include "core/kernels/cross_entropy.h"
#include "core/kernels/embedding_grad.h"
#include "core/kernels/expert_glu.h"
#include "core/kernels/gated_norm.h"
#include "core/kernels/glu.h"
#include "core/kernels/lion.h"
#include "core/kernels/qk_norm_rope.h"
#include "core/kernels/qkv_rope.h"
#include "core/kernels/rms_norm.h"
#include "core/kernels/sgd.h"
#include "core/kernels/sum_squares.h"

namespace automodel::ops {

/// What libautomodel_cuda.so offers. Kernels have the names of the headers above without their `_cuda`.
struct CudaLibrary {
  /// The stream that work of the calling thread goes to on its current device, a cudaStream_t.
  void* (*current_stream)();

  /// Makes a device the calling thread's current one: kernels on raw pointers go to its stream.
  void (*set_device)(int device);

  /// As the driver names it: "NVIDIA H200".
  std::string (*device_name)(int device);

  /// Largest number of bytes that tensors have held on a device since the last reset_peak.
  int64_t (*peak_allocated)(int device);
  void (*reset_peak)(int device);

  /// Calls of cudaMalloc by the caching allocator so far.
  int64_t (*num_device_allocations)(int device);

  /// Whether LibTorch throws where it would wait for the device.
  void (*forbid_synchronisation)(bool forbid);

  /// Gives the calling thread a stream of its own on a device, after all that was queued there: the default
  /// stream cannot be captured.
  void (*leave_default_stream)(int device);

  /// Bytes that tensors hold on a device now.
  int64_t (*allocated)(int device);

  /// Returns the caching allocator's unused memory to the device, which is waited for; then the bytes free.
  int64_t (*free_memory)(int device);

  /// What core/ops/cuda/cuda_graph.h is made of. `pool` numbers the memory that captured work keeps to
  /// itself.
  void (*begin_capture)(int device, uint64_t pool);
  void* (*end_capture)(int device, uint64_t pool);  ///< null: something was queued that cannot be captured
  void (*launch_graph)(int device, void* graph);
  void (*free_graph)(int device, uint64_t pool, void* graph) noexcept;  ///< warns where the device has failed

  decltype(&kernels::adamw_f32_cuda) adamw_f32;
  decltype(&kernels::adamw_bf16_cuda) adamw_bf16;
  decltype(&kernels::adamw_bf16_stochastic_cuda) adamw_bf16_stochastic;
  decltype(&kernels::causal_conv_cuda) causal_conv;
  decltype(&kernels::causal_conv_parts_cuda) causal_conv_parts;
  decltype(&kernels::causal_conv_backward_cuda) causal_conv_backward;
  decltype(&kernels::chunk_scan_cuda) chunk_scan;
  decltype(&kernels::combine_rows_cuda) combine_rows;
  decltype(&kernels::cross_entropy_cuda) cross_entropy;
  decltype(&kernels::embedding_grad_cuda) embedding_grad;
  decltype(&kernels::gated_norm_forward_cuda) gated_norm_forward;
  decltype(&kernels::gated_norm_backward_cuda) gated_norm_backward;
  decltype(&kernels::expert_glu_cuda) expert_glu;
  decltype(&kernels::expert_glu_backward_cuda) expert_glu_backward;
  decltype(&kernels::glu_cuda) glu;
  decltype(&kernels::glu_backward_cuda) glu_backward;
  decltype(&kernels::lion_cuda) lion;
  decltype(&kernels::qk_norm_rope_cuda) qk_norm_rope;
  decltype(&kernels::qk_norm_rope_parts_cuda) qk_norm_rope_parts;
  decltype(&kernels::qk_norm_rope_backward_cuda) qk_norm_rope_backward;
  decltype(&kernels::qkv_rope_cuda) qkv_rope;
  decltype(&kernels::rms_norm_forward_cuda) rms_norm_forward;
  decltype(&kernels::rms_norm_apply_cuda) rms_norm_apply;
  decltype(&kernels::rms_norm_parts_cuda) rms_norm_parts;
  decltype(&kernels::rms_norm_backward_cuda) rms_norm_backward;
  decltype(&kernels::sgd_cuda) sgd;
  decltype(&kernels::sum_squares_cuda) sum_squares;
};

/// The one symbol that the library exports for this purpose.
constexpr const char* kCudaSymbol = "automodel_cuda";
using CudaFunction = const CudaLibrary* (*)();

/// Opens the library, and LibTorch's CUDA half with it, at the first call; only where there is a GPU. Throws
/// Error(kDevice) saying what is missing.
const CudaLibrary& cuda();

/// GPUs that the driver shows to this process; 0 without a driver. Opens nothing else.
int num_cuda_devices();

/// "auto" (the first GPU where there is one, else the CPU), "cpu", "cuda" or "cuda:N". A GPU becomes the
/// calling thread's current device. Throws Error(kDevice) for a GPU that is not there.
at::Device find_device(const std::string& name);

}  // namespace automodel::ops
