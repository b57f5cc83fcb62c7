#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/tensor/torch.h"

#include "core/ops/attention/attention_plan.h"
#include "core/ops/linear.h"

namespace automodel::ops {

/// softmax(scale q k^T + what the query may not see) v, and what families add to it. Every default is the
/// neutral choice.
struct AttentionOptions {
  double scale = 1.0;  ///< of q.k
  AttentionSpan span{};
  double softcap = 0.0;  ///< scores become softcap tanh(score / softcap); 0: off. Gemma 2, arXiv:2408.00118
  std::vector<double>
      alibi{};  ///< [N]: minus slope x distance joins the scores. Press et al. 2022, arXiv:2108.12409
  tensor::Weight
      sinks{};  ///< [N]: a key without a value in every softmax. GPT-OSS; Xiao 2023, arXiv:2309.17453
  double dropout = 0.0;       ///< of the probabilities, where OpContext has keys
  uint64_t dropout_site = 0;  ///< the first of N numbers of dropouts, one a head
};

// clang-format off
/// Which implementation runs; nothing else is fallen back to.
///
/// | kind     | where | types     | head_dim              | softcap, dropout | alibi | every other option |
/// | kBlocked | CPU   | f32, f64  | any                   | no               | yes   | yes                |
/// | kAten    | CPU   | all       | any                   | no               | yes   | yes                |
/// | kCudnn   | GPU   | bf16, f16 | multiple of 8, <= 128 | no               | no    | yes, T = S         |
/// | kPlain   | both  | all       | any                   | yes              | yes   | yes                |
///
/// Never ATen's default flash kernel on a GPU: it has half of cuDNN's speed there.
// clang-format on
enum class AttentionKind {
  kBlocked,  ///< products of some queries with all their keys: scores stay in the cache
  kAten,     ///< ATen's for CPUs: no scores in memory
  kCudnn,    ///< no scores in memory; a pattern neither causal nor full needs a dense mask [.., T, T]
  kPlain,    ///< products and a softmax, over so many queries at a time that scores take 64 MiB (GPU: 1 GiB)
};

/// For logs: "cuDNN".
std::string_view name_of(AttentionKind kind);

/// `head_dim`: the larger one of keys and values. `generates`: fewer queries than keys; cuDNN would plan anew
/// for every number of keys. Deterministic as LibTorch's context says.
AttentionKind choose_attention(at::Device device,
                               at::ScalarType dtype,
                               int64_t head_dim,
                               const AttentionOptions& options = {},
                               bool generates = false);

/// Attention with grouped heads over the spans that `options` names. Without documents, rows are
/// right-padded: padding comes after every real token, so causality alone keeps it out. The queries are those
/// of the last T of S tokens (S > T: generation).
///
/// q, k, v  [B, T, N, H], [B, S, K, H], [B, S, K, V], N a multiple of K, S >= T; f32, bf16, on a CPU f64 too
///
/// rows     the micro-batch's documents and prefixes
///
/// returns  [B, T, N, V], contiguous
///
/// Saves q, k, v, the output and the log-sum-exp; scores are formed again. The gradient of the sinks goes to
/// `context.sink`. Throws Error(kInvalidArgument) for shapes and Error(kUnsupported) for spans that do not go
/// together.
at::Tensor attention(const at::Tensor& q_BTNH,
                     const at::Tensor& k_BSKH,
                     const at::Tensor& v_BSKV,
                     const AttentionOptions& options,
                     const AttentionRows& rows = {},
                     const OpContext& context = {});

/// attention() by a given implementation and plan.
at::Tensor attention_by(AttentionKind kind,
                        std::shared_ptr<const AttentionPlan> plan,
                        const at::Tensor& q_BTNH,
                        const at::Tensor& k_BSKH,
                        const at::Tensor& v_BSKV,
                        const AttentionOptions& options,
                        const OpContext& context = {});

}  // namespace automodel::ops
