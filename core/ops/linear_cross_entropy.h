#pragma once

#include "core/ops/linear.h"

namespace automodel::ops {

struct CrossEntropyOptions {
  double scale = 1.0;  ///< the loss is scale * (sum over labelled rows); gradients follow
  int64_t ignore_index = -100;
  int64_t chunk_rows =
      0;  ///< rows of logits that exist at a time; 0: at most 160 MiB of them, 4 GiB on a GPU, as f32
  bool normalised_head =
      false;             ///< rows of the weight count as if of length one. Baichuan 2, arXiv:2309.10305
  double softcap = 0.0;  ///< logits become cap tanh(logits / cap); 0: off. Gemma 2, arXiv:2408.00118
};

/// scale * sum over rows with a label of -log softmax(x W^T)[label], without ever holding all logits: rows
/// without a label are left out before the GEMM, the rest go through in chunks.
///
/// x       [rows, D]  f32 | bf16, on a CPU also f64
/// labels  [rows]     int64 on the CPU, ignore_index where nothing is learnt; others in [0, V), else
/// Error(kData)
/// head    weight [V, D], perhaps a bias [V]
/// returns scalar f32 (f64 of f64); 0 when no row has a label
///
/// When x or the weight needs a gradient, dx and d(weight) of each chunk are formed while its logits exist:
/// the node saves dx, and its own incoming gradient must be 1 (put factors into `scale`). Logits are rounded
/// to the type of x and raised to f32, as the reference's MaskedCrossEntropy does.
at::Tensor linear_cross_entropy(const at::Tensor& x,
                                const at::Tensor& labels,
                                const Linear& head,
                                const CrossEntropyOptions& options,
                                const OpContext& context);

/// Lengths of the rows of a head's weight, [V] of its type; none is below 1e-12.
at::Tensor head_row_norms(const Linear& head);

}  // namespace automodel::ops
