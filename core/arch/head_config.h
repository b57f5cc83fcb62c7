#pragma once

#include <cstdint>
#include <optional>

#include "core/arch/block_config.h"
#include "core/kernels/activation.h"

/// What stands behind the last layer, beside its norm. Plain numbers, no torch.
namespace automodel::arch {

/// norm(act(W x + b)), between the layers and a projection. BERT, arXiv:1810.04805.
struct TransformConfig {
  std::optional<kernels::Activation> activation;  ///< none: there is no transform
  bool bias = true;
  NormConfig norm{.kind = kernels::NormKind::kNone};
};

/// Which vector stands for a row of tokens.
enum class Pooling {
  kFirst,  ///< the first token's: [CLS]
  kLast,   ///< the last token's before padding
  kMean,   ///< the mean over the row's tokens
};

/// What a row's labels are, and so its loss.
enum class LabelKind {
  kClass,    ///< one of num_labels: cross-entropy
  kNumbers,  ///< num_labels numbers (regression): mean squared error
  kSeveral,  ///< for each of num_labels whether it holds: binary cross-entropy of logits
};

/// One vector a row, to logits of labels.
struct ClassifierConfig {
  Pooling pooling = Pooling::kLast;
  TransformConfig transform;
  bool bias = false;
  int64_t num_labels = 2;
  std::optional<LabelKind> label_kind;  ///< none: a row of one label has a class, a longer one several

  /// With Pooling::kLast: the last token of another id stands for the row, the first when there is none.
  std::optional<int64_t> padding_id;
};

}  // namespace automodel::arch
