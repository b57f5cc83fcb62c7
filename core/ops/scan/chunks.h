#pragma once

// For core/ops/*.cpp only: what the chunked scans share.

#include <type_traits>

#include "core/tensor/torch.h"
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "core/kernels/chunk_scan.h"
#include "core/ops/cuda/cuda.h"
#include "core/ops/dispatch.h"

namespace automodel::ops {

/// Runs every unit where `on` lies. `grain`: units that are worth a thread.
template <class Body>
void run_body(const at::Tensor& on, const Body& body, int64_t units, int64_t grain) {
  if (on.is_cuda()) {
    if constexpr (std::is_constructible_v<kernels::DeviceBody, Body>) {
      cuda().chunk_scan(body, units, cuda().current_stream());
      return;
    }
    fail(ErrorCode::kUnsupported, "a scan of type ", on.scalar_type(), " on a GPU");
  }
  at::parallel_for(
      0, units, grain, [&](int64_t begin, int64_t end) { kernels::run_units(body, begin, end); });
}

/// Memory for a tensor of the same shape, type and place, contiguous.
inline at::Tensor empty_as(const at::Tensor& x) {
  return at::empty(x.sizes(), x.options());
}

constexpr int64_t kHeadTokensPerThread = 256;
constexpr int64_t kHeadChunksPerThread = 4;

/// How [B, T] tokens of `groups` x `heads` are cut. Short inputs make short chunks.
kernels::ChunkShape cut(int64_t batch, int64_t length, int64_t groups, int64_t heads, int64_t largest_chunk);

/// [B, T, H] -> [B, H, T'], contiguous, zero from T on.
at::Tensor per_head(const at::Tensor& x_BTH, const kernels::ChunkShape& shape);

/// [B, H, T'] -> [B, T, H], a view.
at::Tensor per_token(const at::Tensor& x_BHT, const kernels::ChunkShape& shape);

/// [B, T, G W] -> [B G, T', W] of `dtype`, contiguous, zero from T on.
at::Tensor per_group(const at::Tensor& x_BTX, const kernels::ChunkShape& shape, at::ScalarType dtype);

/// The other way: x [B G, T', W] is copied into to [B, T, G W].
void copy_from_groups(const at::Tensor& x, const kernels::ChunkShape& shape, const at::Tensor& to_BTX);

/// Decays of each chunk, see core/kernels/chunk_decay.h.
struct Decays {
  kernels::ChunkShape shape;
  at::Tensor first;  ///< [B, T] int32 or undefined
  bool goes_on;      ///< from a given state
  at::Tensor log_decay_sum, in, out, whole;

  kernels::Borders borders() const { return {first.defined() ? data<int32_t>(first) : nullptr, goes_on}; }
};

/// g [B, H, T'].
Decays chunk_decays(const at::Tensor& g_BHT,
                    const kernels::ChunkShape& shape,
                    const at::Tensor& first_BT,
                    bool goes_on);

/// The gradient of g from those of log_decay_sum, out (times out) and whole (times whole).
at::Tensor chunk_decays_backward(const Decays& decays,
                                 const at::Tensor& d_log_decay_sum,
                                 const at::Tensor& dout,
                                 const at::Tensor& dwhole);

/// Scores [B G C, lines, L], those from `first_line` on -> decayed [B G C, heads, L, L].
at::Tensor decay_scores(const Decays& decays,
                        const at::Tensor& scores,
                        int64_t first_line,
                        const at::Tensor& factor,
                        bool strict);

/// Overwrites `ddecayed`, writes the same lines of dscores, adds to d_log_decay_sum, writes dfactor where
/// there is a factor.
void decay_scores_backward(const Decays& decays,
                           const at::Tensor& scores,
                           int64_t first_line,
                           const at::Tensor& factor,
                           bool strict,
                           const at::Tensor& ddecayed,
                           const at::Tensor& dscores,
                           const at::Tensor& d_log_decay_sum,
                           const at::Tensor& dfactor);

}  // namespace automodel::ops
