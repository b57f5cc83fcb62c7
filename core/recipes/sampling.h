#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/torch.h"
#include <ATen/core/Generator.h>

namespace automodel::recipes {

/// How the next token is chosen. The neutral values choose from the model's own distribution.
struct SamplingOptions {
  bool sample = false;              ///< false: the most likely token; then only the penalty counts
  double temperature = 1.0;         ///< > 0
  int64_t top_k = 0;                ///< keep the k most likely tokens; 0: all
  double top_p = 1.0;               ///< keep the most likely tokens that together reach this probability
  double repetition_penalty = 1.0;  ///< of tokens that came before. Keskar et al. 2019, arXiv:1909.05858
};

/// Logits with penalty, temperature, top-k and top-p applied in transformers' order; what a filter drops is
/// minus infinity. logits [V] f32 on the CPU, ids [n] int64 of all tokens so far -> [V] f32.
at::Tensor filter_logits(const at::Tensor& logits_V, const at::Tensor& ids, const SamplingOptions& options);

/// Chooses tokens. Draws are those of torch's CPU generator, so that the same seed gives the tokens that
/// transformers gives after torch.manual_seed; they depend on nothing but the seed and the logits.
class Sampler {
 public:
  struct Choice {
    int64_t id = 0;
    float logprob = 0;  ///< of the filtered distribution
  };

  Sampler(const SamplingOptions& options, uint64_t seed);

  /// Throws Error(kFormat) when a logit is not a number: the weights are broken.
  Choice choose(const at::Tensor& logits_V, const at::Tensor& ids);

 private:
  SamplingOptions options_;
  at::Generator generator_;
};

}  // namespace automodel::recipes
