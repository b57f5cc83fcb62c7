#pragma once

#include <cstdint>

namespace automodel::kernels {

/// What a router makes of its logits before the choice. The k best scores are chosen.
enum class RouterScore {
  kSoftmax,          ///< softmax over all experts. Fedus et al. 2021, arXiv:2101.03961; Mixtral, Qwen, OLMoE
  kSoftmaxOfChosen,  ///< the logits; softmax over the chosen ones alone. Granite-MoE, GPT-OSS
  kSigmoid,          ///< sigmoid of each. DeepSeek-V3, arXiv:2412.19437; GLM-4.5, MiniMax-M2, Llama 4
};

/// How a group of experts is scored where only the best groups take part.
enum class GroupScore {
  kBest,     ///< its best score. DeepSeek-V2, arXiv:2405.04434
  kBestTwo,  ///< the sum of its two best, score_bias included. DeepSeek-V3
};

/// From router logits to the chosen experts and their weights:
///   s = score(logits);  choice = the top_k largest of s + score_bias, within the best groups
///   weight_j = s_j / max(sum of the chosen s + normalize_eps, normalize_min) * scale   (or s_j * scale)
struct RouterConfig {
  int64_t num_experts = 0;
  int64_t top_k = 0;
  RouterScore score = RouterScore::kSoftmax;
  bool norm_topk_prob = false;  ///< weights are divided by their sum. Mixtral, arXiv:2401.04088
  double normalize_eps = 0.0;   ///< 1e-20: DeepSeek-V3
  double normalize_min = 0.0;   ///< the sum counts as at least this. Ernie 4.5
  double scale = 1.0;           ///< routed_scaling_factor of DeepSeek-V2
  int64_t n_group = 1;          ///< groups of neighbouring experts. DeepSeek-V2
  int64_t topk_group = 1;       ///< groups that take part in the choice
  GroupScore group_score = GroupScore::kBest;
  bool bias = false;  ///< the projection to logits has a bias. GPT-OSS
  bool score_bias =
      false;             ///< a bias moves the choice, never the weights. Wang et al. 2024, arXiv:2408.15664
  bool float32 = false;  ///< logits are formed in float32 from operands of any type. DeepSeek-V2 and V3
};

/// Chooses for `rows` tokens. logits [rows, E] -> experts [rows, k], best first (the smaller index of equal
/// ones), weights [rows, k]. score_bias [E] or null. T is float or double. Runs on the calling thread.
template <class T>
void route(const RouterConfig& config,
           const T* logits,
           const float* score_bias,
           int64_t* experts,
           T* weights,
           int64_t rows);

/// dweights [rows, k] -> dlogits [rows, E], with the logits and experts of the forward.
template <class T>
void route_backward(const RouterConfig& config,
                    const T* logits,
                    const int64_t* experts,
                    const T* dweights,
                    T* dlogits,
                    int64_t rows);

}  // namespace automodel::kernels
