#pragma once

// For core/ops/scan/delta_*.cpp only. B batch, T tokens, G key heads, H value heads, K and V their widths, C
// chunks, L their length, X = 2 G K + H V

#include "core/ops/scan/chunks.h"
#include "core/ops/scan/delta_rule.h"

namespace automodel::ops {

constexpr const char* kDeltaWhat = "a gated delta rule";

/// What every way to apply a rule begins with.
struct DeltaInputs {
  const DeltaRule& rule;
  kernels::ChunkShape shape;
  at::Tensor qkv_BTX;
  at::Tensor raw_BTH, softplus_BTH;  ///< of the decays, before and after
  at::Tensor a_H;
  at::Tensor beta;  ///< [B, H, T']
  Decays decays;
  at::Tensor qk;      ///< [B G, C, 2 L, K]
  at::Tensor scores;  ///< q k^T, then k k^T of each chunk [B G C, 2 L, L]

  /// `goes_on`: from a given state.
  DeltaInputs(const at::Tensor& qkv,
              const at::Tensor& b_BTH,
              const at::Tensor& a_BTH,
              const DeltaRule& delta_rule,
              const at::Tensor& first_BT,
              bool goes_on);

  at::ScalarType type() const { return sum_type(qkv_BTX); }

  double query_scale() const;

  int64_t rows() const { return shape.batch * shape.groups; }

  at::Tensor keys() const { return qk.narrow(2, shape.chunk, shape.chunk); }

  /// Columns of queries, and of keys.
  int64_t key_width() const { return rule.num_key_heads * rule.key_head_dim; }

  int64_t head_tokens() const { return rows() * shape.padded() * shape.heads; }

  /// Memory for y [B, T, H V].
  at::Tensor empty_outputs() const;

 private:
  void check_inputs(const at::Tensor& b_BTH, const at::Tensor& a_BTH) const;
  void split_keys();
};

/// The gradients of the inputs, as a backward fills them in.
struct DeltaGradients {
  at::Tensor d_log_decay_sum, dout, dbeta;  ///< [B, H, T']; dout times out
  at::Tensor dwhole;                        ///< [B, H, C], times whole
  at::Tensor dqkv_BTX;

  explicit DeltaGradients(const DeltaInputs& inputs);

  /// Writes the columns of queries and keys: dqk [B G, C, 2 L, K] is that from the states, its contents are
  /// lost; dscores [B G C, 2 L, L].
  void write_keys(const DeltaInputs& inputs, const at::Tensor& dqk, const at::Tensor& dscores) const;

  struct Gates {
    at::Tensor db_BTH, da_BTH;
  };

  /// Gradients of b and a; those of A_log and dt_bias go to the sink.
  Gates finish(const DeltaInputs& inputs, GradSink& sink) const;
};

/// y [B, T, H V], a chunk of a head at a time in a CPU's cache.
at::Tensor delta_on_tiles(const DeltaInputs& inputs);

/// For backward: fills in every member.
void delta_backward_on_tiles(const DeltaInputs& inputs,
                             const at::Tensor& dy_BTV,
                             const DeltaGradients& gradients);

}  // namespace automodel::ops
