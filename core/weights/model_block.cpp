#include "core/weights/model_block.h"

#include <algorithm>

#include "core/base/error.h"

namespace automodel::weights {

extern const ModelBlock kAttention, kLatentAttention, kMamba2, kDeltaNet, kMlp, kMoe;

const std::vector<const ModelBlock*>& model_blocks() {
  static const std::vector<const ModelBlock*> kBlocks = {
      &kAttention, &kLatentAttention, &kMamba2, &kDeltaNet, &kMlp, &kMoe};
  return kBlocks;
}

const ModelBlock& block_of(std::variant<arch::MixerKind, arch::FeedForwardKind> kind) {
  const auto found =
      std::ranges::find(model_blocks(), kind, [](const ModelBlock* block) { return block->kind; });
  ensure(found != model_blocks().end(), "a kind of block has no row");
  return **found;
}

}  // namespace automodel::weights
