#include "core/models/block_maker.h"

#include <algorithm>
#include <array>

namespace automodel::models {

extern const BlockMaker kMakeAttention, kMakeLatentAttention, kMakeMamba2, kMakeDeltaNet, kMakeMlp, kMakeMoe;

const BlockMaker& maker_of(std::variant<arch::MixerKind, arch::FeedForwardKind> kind) {
  static const std::array kMakers = {
      &kMakeAttention, &kMakeLatentAttention, &kMakeMamba2, &kMakeDeltaNet, &kMakeMlp, &kMakeMoe};
  const auto found = std::ranges::find(kMakers, kind, [](const BlockMaker* maker) { return maker->kind; });
  ensure(found != kMakers.end(), "a kind of block has no maker");
  return **found;
}

ops::CausalConv causal_conv(const SegmentParameters& find, const std::string& role) {
  return {find.get(role + ".weight"), find.find(role + ".bias"), /*silu=*/true};
}

}  // namespace automodel::models
