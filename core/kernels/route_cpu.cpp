#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "core/kernels/route.h"

namespace automodel::kernels {
namespace {

/// exp(logit - largest) of `n` logits; their sum is returned.
template <class T, class Logit>
T exponentials(int64_t n, const Logit& logit, T* out) {
  T largest = logit(0);
  for (int64_t i = 1; i < n; ++i) largest = std::max(largest, logit(i));
  T sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += out[i] = std::exp(logit(i) - largest);
  return sum;
}

/// Scores of all experts; the logits themselves where only the chosen ones are normalised.
template <class T>
void score_all(const RouterConfig& config, const T* logits, T* scores) {
  const int64_t n = config.num_experts;
  switch (config.score) {
    case RouterScore::kSoftmax: {
      const T sum = exponentials<T>(n, [&](int64_t e) { return logits[e]; }, scores);
      for (int64_t e = 0; e < n; ++e) scores[e] /= sum;
      return;
    }
    case RouterScore::kSoftmaxOfChosen:
      std::copy(logits, logits + n, scores);
      return;
    case RouterScore::kSigmoid:
      for (int64_t e = 0; e < n; ++e) scores[e] = 1 / (1 + std::exp(-logits[e]));
      return;
  }
}

/// Positions of the `count` largest values, best first; each is struck out of `values`.
template <class T>
void take_largest(std::vector<T>& values, int64_t count, int64_t* positions) {
  for (int64_t i = 0; i < count; ++i) {
    const auto best = std::max_element(values.begin(), values.end());
    positions[i] = best - values.begin();
    *best = -std::numeric_limits<T>::infinity();
  }
}

template <class T>
T score_of_group(GroupScore kind, const T* values, int64_t size) {
  T best = -std::numeric_limits<T>::infinity();
  T second = best;
  for (int64_t i = 0; i < size; ++i) {
    if (values[i] > best) {
      second = best;
      best = values[i];
    } else {
      second = std::max(second, values[i]);
    }
  }
  return kind == GroupScore::kBest ? best : best + second;
}

/// Strikes out the experts of all but the best groups.
template <class T>
void keep_best_groups(const RouterConfig& config, std::vector<T>& choice) {
  const int64_t size = config.num_experts / config.n_group;
  std::vector<T> groups(static_cast<size_t>(config.n_group));
  for (int64_t g = 0; g < config.n_group; ++g)
    groups[static_cast<size_t>(g)] = score_of_group(config.group_score, choice.data() + g * size, size);
  std::vector<int64_t> kept(static_cast<size_t>(config.topk_group));
  take_largest(groups, config.topk_group, kept.data());
  std::sort(kept.begin(), kept.end());
  for (int64_t g = 0; g < config.n_group; ++g) {
    if (std::binary_search(kept.begin(), kept.end(), g)) continue;
    std::fill_n(choice.begin() + g * size, size, -std::numeric_limits<T>::infinity());
  }
}

/// What the scores of the chosen are divided by, before `scale`.
template <class T>
T divisor(const RouterConfig& config, T sum) {
  return config.norm_topk_prob
             ? std::max(sum + static_cast<T>(config.normalize_eps), static_cast<T>(config.normalize_min))
             : T{1};
}

/// Scores of the chosen experts.
template <class T>
void chosen_scores(const RouterConfig& config, const T* scores, const int64_t* experts, T* chosen) {
  const auto score = [&](int64_t j) { return scores[experts[j]]; };
  if (config.score == RouterScore::kSoftmaxOfChosen) {
    const T sum = exponentials<T>(config.top_k, score, chosen);
    for (int64_t j = 0; j < config.top_k; ++j) chosen[j] /= sum;
    return;
  }
  for (int64_t j = 0; j < config.top_k; ++j) chosen[j] = score(j);
}

template <class T>
T sum_of(const std::vector<T>& values) {
  T sum = 0;
  for (const T value : values) sum += value;
  return sum;
}

}  // namespace

template <class T>
void route(const RouterConfig& config,
           const T* logits,
           const float* score_bias,
           int64_t* experts,
           T* weights,
           int64_t rows) {
  const auto n = static_cast<size_t>(config.num_experts);
  std::vector<T> scores(n), choice(n), chosen(static_cast<size_t>(config.top_k));
  for (int64_t r = 0; r < rows; ++r) {
    score_all(config, logits + r * config.num_experts, scores.data());
    for (size_t e = 0; e < n; ++e)
      choice[e] = scores[e] + (score_bias ? static_cast<T>(score_bias[e]) : T{0});
    if (config.n_group > 1) keep_best_groups(config, choice);
    int64_t* mine = experts + r * config.top_k;
    take_largest(choice, config.top_k, mine);
    chosen_scores(config, scores.data(), mine, chosen.data());
    const T factor = static_cast<T>(config.scale) / divisor(config, sum_of(chosen));
    for (int64_t j = 0; j < config.top_k; ++j)
      weights[r * config.top_k + j] = chosen[static_cast<size_t>(j)] * factor;
  }
}

template <class T>
void route_backward(const RouterConfig& config,
                    const T* logits,
                    const int64_t* experts,
                    const T* dweights,
                    T* dlogits,
                    int64_t rows) {
  const int64_t n = config.num_experts;
  const int64_t k = config.top_k;
  std::vector<T> scores(static_cast<size_t>(n)), chosen(static_cast<size_t>(k)),
      dchosen(static_cast<size_t>(k));
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t* mine = experts + r * k;
    score_all(config, logits + r * n, scores.data());
    chosen_scores(config, scores.data(), mine, chosen.data());
    const T sum = sum_of(chosen);
    const T by = divisor(config, sum);
    // The divisor passes a gradient only while it is the sum.
    const bool follows = config.norm_topk_prob &&
                         sum + static_cast<T>(config.normalize_eps) >= static_cast<T>(config.normalize_min);
    T through_sum = 0;
    for (size_t j = 0; follows && j < chosen.size(); ++j)
      through_sum += dweights[r * k + static_cast<int64_t>(j)] * chosen[j] / by;
    T inner = 0;
    for (size_t j = 0; j < chosen.size(); ++j) {
      const T dweight = dweights[r * k + static_cast<int64_t>(j)];
      dchosen[j] = static_cast<T>(config.scale) * (dweight - through_sum) / by;
      inner += dchosen[j] * chosen[j];
    }
    T* out = dlogits + r * n;
    const bool all = config.score == RouterScore::kSoftmax;
    for (int64_t e = 0; e < n; ++e) out[e] = all ? -scores[static_cast<size_t>(e)] * inner : T{0};
    for (size_t j = 0; j < chosen.size(); ++j) {
      const T s = chosen[j];
      const bool sigmoid = config.score == RouterScore::kSigmoid;
      const T slope = sigmoid ? s * (1 - s) * dchosen[j] : s * dchosen[j];
      out[mine[j]] += config.score == RouterScore::kSoftmaxOfChosen ? slope - s * inner : slope;
    }
  }
}

template void route(const RouterConfig&, const float*, const float*, int64_t*, float*, int64_t);
template void route(const RouterConfig&, const double*, const float*, int64_t*, double*, int64_t);
template void route_backward(
    const RouterConfig&, const float*, const int64_t*, const float*, float*, int64_t);
template void route_backward(
    const RouterConfig&, const double*, const int64_t*, const double*, double*, int64_t);

}  // namespace automodel::kernels
