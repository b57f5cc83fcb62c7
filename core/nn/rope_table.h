#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "core/tensor/torch.h"

#include "core/nn/block_config.h"

namespace automodel::nn {

/// cos and sin of one kind of rope, made once for each range of positions in use. Shared by the blocks of a
/// model; one thread.
class RopeTable {
 public:
  RopeTable(RopeConfig config, at::Device device);

  /// cos, sin [end - begin, rotary_dim / 2] f32 of the positions [begin, end), attention factor included.
  /// Angles are formed in f32, as transformers does. The regime (longrope's long factors, dynamic's larger
  /// base) follows from `end`, the length of the sequence so far, alone.
  std::pair<at::Tensor, at::Tensor> tables(int64_t begin, int64_t end) const;

  const RopeConfig& config() const { return config_; }

 private:
  std::pair<at::Tensor, at::Tensor> make(int64_t begin, int64_t end) const;

  RopeConfig config_;
  at::Device device_;
  mutable std::map<std::pair<int64_t, int64_t>, std::pair<at::Tensor, at::Tensor>> made_;
};

}  // namespace automodel::nn
