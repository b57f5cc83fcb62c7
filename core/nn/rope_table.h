#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "core/tensor/torch.h"

#include "core/arch/block_config.h"
#include "core/nn/mixer.h"
#include "core/ops/attention/rope.h"

namespace automodel::nn {

/// cos and sin of one rotary embedding (Su et al. 2021, arXiv:2104.09864), made once per range of positions
/// in use. Shared by the blocks of a model; used by one thread.
class RopeTable {
 public:
  /// Throws Error(kInvalidArgument) unless the config has rotary_dim / 2 inverse frequencies.
  RopeTable(arch::RopeConfig config, at::Device device);

  /// Angles of the positions [begin, end): cos, sin [end - begin, rotary_dim / 2], attention factor included.
  /// Angles are formed in f32, as transformers does. The regime (longrope's long factors, dynamic's larger
  /// base) follows from `end`, the length of the sequence so far, alone.
  ops::RopeAngles angles(int64_t begin, int64_t end) const;

  /// Angles of `length` tokens per row that follow `before` others: where `tokens` has positions, one row a
  /// token, the regime by the largest of them.
  ops::RopeAngles angles(const Tokens& tokens, int64_t before, int64_t length) const;

  const arch::RopeConfig& config() const { return config_; }

 private:
  ops::RopeAngles make(int64_t begin, int64_t end) const;

  arch::RopeConfig config_;
  at::Device device_;
  mutable std::map<std::pair<int64_t, int64_t>, ops::RopeAngles> made_;
  mutable at::Tensor last_positions_BT_;
  mutable ops::RopeAngles of_last_;
};

}  // namespace automodel::nn
