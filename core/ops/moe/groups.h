#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

#include "core/tensor/torch.h"

namespace automodel::ops {

/// Tokens sorted by the expert that they go to: a token that goes to k experts has k slots, those of one
/// expert side by side, in the order of the tokens. No token is dropped.
struct Groups {
  at::Tensor order;                ///< [S] int64: slot -> token * k + j, S = tokens * k
  at::Tensor rows;                 ///< [S] int64: slot -> token
  at::Tensor slots;                ///< [tokens, k] int64: the inverse of `order`
  at::Tensor ends;                 ///< [E] int32: one past the last slot of each expert
  std::vector<int64_t> host_ends;  ///< the same; empty on a GPU, where nobody waits for them
  int64_t num_experts = 0;

  /// [S] int64.
  at::Tensor expert_of_slot() const;
};

/// experts [tokens, k] int64, each in [0, num_experts). Deterministic; on a GPU without waiting for it.
Groups make_groups(const at::Tensor& experts, int64_t num_experts);

/// Slots [begin, end) of one expert; expert -1: of all of them, at once.
struct Span {
  int64_t expert = -1;
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
};

/// Calls body for every expert that has tokens. On a CPU experts run side by side, each on one thread, where
/// there are enough of them, else one after the other; no gradients are recorded. On a GPU one call with all
/// slots where `at_once`, else one after the other, after waiting for the device.
void for_each_span(const Groups& groups, bool at_once, const std::function<void(const Span&)>& body);

/// Whether a GPU multiplies the slots of all experts in one product: x is bf16, and the matrices' rows of
/// these widths are multiples of 16 bytes.
bool multiplies_at_once(const at::Tensor& x, std::initializer_list<int64_t> widths);

/// out[span] = x W[expert]^T, or x W[expert] when not `transposed`. x [span.size(), in] or [.., out];
/// stacked [E, out, in]; out [S, ..] whole; for a span of all experts it is replaced.
void grouped_product(const Span& span,
                     const Groups& groups,
                     const at::Tensor& x,
                     const at::Tensor& stacked,
                     bool transposed,
                     at::Tensor& out);

}  // namespace automodel::ops
