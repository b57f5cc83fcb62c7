#pragma once

// For core/ops/scan/ssd*.cpp only. B batch, T tokens, H heads, P head_dim, G groups, N state_size, C chunks,
// L their length, X = H P + 2 G N

#include "core/ops/scan/chunks.h"
#include "core/ops/scan/ssd.h"

namespace automodel::ops {

constexpr const char* kSsdWhat = "a state-space scan";

/// What every way to scan begins with.
struct SsdInputs {
  const StateSpace& space;
  kernels::ChunkShape shape;
  at::Tensor x_BTX;
  at::Tensor raw_BTH, softplus_BTH;  ///< of the time steps, before and after
  at::Tensor a_H, d_H;
  at::Tensor dt;  ///< [B, H, T']
  Decays decays;
  at::Tensor keys, queries;  ///< B, C [B G C, L, N]
  at::Tensor scores;         ///< [B G C, L, L]

  /// `goes_on`: from a given state.
  SsdInputs(const at::Tensor& x_B_C,
            const at::Tensor& dt_in_BTH,
            const StateSpace& space,
            const at::Tensor& first_BT,
            bool goes_on);

  at::ScalarType type() const { return sum_type(x_BTX); }

  /// [B G, T', ...] -> [B G C, L, the rest as one].
  at::Tensor in_chunks(const at::Tensor& x) const {
    return x.view({shape.batch * shape.groups * shape.chunks, shape.chunk, -1});
  }

  int64_t head_tokens() const { return shape.batch * shape.padded() * shape.all_heads(); }

  /// Memory for y [B, T, H P].
  at::Tensor empty_outputs() const;

 private:
  void check_inputs(const at::Tensor& dt_in_BTH) const;
  void make_time_steps(const at::Tensor& dt_in_BTH);
};

/// The gradients of the inputs, as a backward fills them in.
struct SsdGradients {
  at::Tensor d_log_decay_sum, dout, ddt, dskip;  ///< [B, H, T']; dout times out
  at::Tensor dwhole;                             ///< [B, H, C], times whole
  at::Tensor dx_BTX;

  explicit SsdGradients(const SsdInputs& inputs);

  /// Writes the columns of keys and queries; both [B G C, L, N].
  void write_keys(const SsdInputs& inputs, const at::Tensor& dkeys, const at::Tensor& dqueries) const;

  /// The gradient of dt_in; those of A_log, dt_bias and D go to the sink.
  at::Tensor finish(const SsdInputs& inputs, GradSink& sink) const;
};

/// y [B, T, H P], a chunk of a head at a time in a CPU's cache.
at::Tensor ssd_on_tiles(const SsdInputs& inputs);

/// For backward: fills in every member.
void ssd_backward_on_tiles(const SsdInputs& inputs, const at::Tensor& dy_BTV, const SsdGradients& gradients);

}  // namespace automodel::ops
