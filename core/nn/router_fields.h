#pragma once

#include <array>
#include <utility>

#include "core/nn/moe.h"
#include "core/nn/segment.h"

namespace automodel::nn {

/// A sum of the routers' load-balancing loss on its way from block to block.
struct RouterField {
  const char* name;
  at::Tensor RouterStats::* member;
  bool needs_grad;
};

inline constexpr std::array<RouterField, 3> kRouterFields = {
    RouterField{"router.probabilities", &RouterStats::probabilities_E, true},
    RouterField{"router.choices", &RouterStats::choices_E, false},
    RouterField{"router.tokens", &RouterStats::tokens, false}};

inline void read_router(const State& in, RouterStats& stats) {
  for (const RouterField& field : kRouterFields) stats.*field.member = in.at(field.name);
}

/// The type of sums over values of a type: float32, float64 of float64.
inline at::ScalarType sum_dtype(at::ScalarType compute) {
  return compute == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace automodel::nn
