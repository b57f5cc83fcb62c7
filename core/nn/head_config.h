#pragma once

#include <cstdint>
#include <optional>

#include "core/kernels/activation.h"
#include "core/nn/block_config.h"

/// What stands behind the last layer, beside its norm. Plain numbers, no torch.
namespace automodel::nn {

/// norm(act(W x + b)), between the layers and a projection. BERT, arXiv:1810.04805.
struct TransformConfig {
  std::optional<kernels::Activation> activation;  ///< none: there is no transform
  bool bias = true;
  NormConfig norm{.kind = NormKind::kNone};
};

/// Which vector stands for a row of tokens.
enum class Pooling {
  kFirst,  ///< the first token's: [CLS]
  kLast,   ///< the last token's before padding
  kMean,   ///< the mean over the row's tokens
};

/// One vector a row, to logits of labels.
struct ClassifierConfig {
  Pooling pooling = Pooling::kLast;
  TransformConfig transform;
  bool bias = false;
  int64_t num_labels = 2;
  bool one_label = true;  ///< a row has one label; false: a number or several labels, which have no loss here
};

}  // namespace automodel::nn
