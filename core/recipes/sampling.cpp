#include "core/recipes/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>

namespace automodel::recipes {
namespace {

constexpr float kDropped = -std::numeric_limits<float>::infinity();

at::Tensor penalise(const at::Tensor& logits, const at::Tensor& ids, double penalty) {
  const at::Tensor scores = logits.gather(0, ids);
  return logits.scatter(0, ids, at::where(scores.lt(0), scores * penalty, scores / penalty));
}

at::Tensor keep_top_k(const at::Tensor& logits, int64_t k) {
  const at::Tensor kept = std::get<0>(at::topk(logits, std::min(k, logits.size(0))));
  return logits.masked_fill(logits.lt(kept[-1]), kDropped);
}

at::Tensor keep_top_p(const at::Tensor& logits, double p) {
  const auto [ascending, order] = at::sort(logits);
  at::Tensor dropped = ascending.softmax(-1).cumsum(-1).le(1 - p);
  dropped[-1].fill_(false);
  return logits.masked_fill(dropped.scatter(0, order, dropped), kDropped);
}

}  // namespace

at::Tensor filter_logits(const at::Tensor& logits_V, const at::Tensor& ids, const SamplingOptions& options) {
  at::Tensor logits = logits_V;
  if (options.repetition_penalty != 1.0) logits = penalise(logits, ids, options.repetition_penalty);
  if (!options.sample) return logits;
  if (options.temperature != 1.0) logits = logits / options.temperature;
  if (options.top_k > 0) logits = keep_top_k(logits, options.top_k);
  if (options.top_p < 1.0) logits = keep_top_p(logits, options.top_p);
  return logits;
}

Sampler::Sampler(const SamplingOptions& options, uint64_t seed)
    : options_(options), generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

Sampler::Choice Sampler::choose(const at::Tensor& logits_V, const at::Tensor& ids) {
  const at::Tensor logits = filter_logits(logits_V, ids, options_);
  const float largest = logits.max().item<float>();
  check(
      std::isfinite(largest),
      ErrorCode::kFormat,
      "the model's logits are not finite (largest: ",
      largest,
      "): its weights hold infinities or values that are not numbers, or bfloat16 is too narrow for them (--dtype float32)");
  const at::Tensor chosen =
      options_.sample ? at::multinomial(logits.softmax(-1), 1, false, generator_)[0] : logits.argmax();
  const auto id = chosen.item<int64_t>();
  return {id, logits.log_softmax(-1)[id].item<float>()};
}

}  // namespace automodel::recipes
