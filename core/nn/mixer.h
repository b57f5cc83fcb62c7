#pragma once

#include <memory>
#include <vector>

#include "core/tensor/torch.h"

#include "core/nn/cache.h"
#include "core/ops/attention/attention_plan.h"
#include "core/ops/linear.h"

namespace automodel::nn {

struct RouterStats;

/// Where the tokens of a micro-batch stand.
struct Tokens {
  /// [B, T] int32: the document that a token belongs to, equal numbers standing together in a row; -1:
  /// padding. A token sees, scans and convolves over its own document only. Undefined: a row is one document,
  /// padded on its right if at all.
  at::Tensor documents_BT{};
  at::Tensor prefix_B{};  ///< [B] int64: tokens at a row's beginning that all of it sees; undefined: none
  at::Tensor
      positions_BT{};      ///< [B, T] int64, from 0 in each document; undefined: 0 .. T-1 after the cache's
  at::Tensor lengths_B{};  ///< [B] int64: tokens of each row before its padding, for what counts them;
                           ///< undefined: all

  /// What attention layers share: who sees whom is worked out once.
  std::shared_ptr<ops::AttentionPlans> attention_plans = std::make_shared<ops::AttentionPlans>();

  /// Tensors of shared caches that this micro-batch reads: a CUDA graph keeps them alive, because it reads
  /// their memory again. Null: no graph is captured.
  std::shared_ptr<std::vector<at::Tensor>> lent{};
};

/// Throws Error(kUnsupported) unless rows are one document each: what a state is kept for.
inline void check_one_document(const Tokens& tokens) {
  check(!tokens.documents_BT.defined(),
        ErrorCode::kUnsupported,
        "generation goes on from one document a row; several were packed into one");
}

/// What a mixer (attention, a state-space scan, an MLP, experts) is told beside its input. A mixer is a
/// struct of weight handles with
///   at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;
/// [B, T, D] -> [B, T, D]: its own input_norm is applied first, the residual is not added.
struct MixerInput {
  const ops::OpContext& context;
  const Tokens& tokens;
  Cache* cache = nullptr;         ///< generation: the tokens follow those that it keeps and are added to it
  RouterStats* router = nullptr;  ///< where experts add what their router did (moe.h); null: nowhere
};

}  // namespace automodel::nn
