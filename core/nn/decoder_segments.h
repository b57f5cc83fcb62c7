#pragma once

#include <string>
#include <vector>

#include "core/nn/attention.h"
#include "core/nn/mlp.h"
#include "core/nn/segment.h"

namespace automodel::nn {

/// Token ids to hidden states. The row of `padding_id` (-1: none) gets no gradient from here.
class EmbedSegment : public Segment {
 public:
  EmbedSegment(std::string name, tensor::Weight table, int64_t hidden_size, int64_t padding_id);

  const std::string& name() const override { return name_; }

  std::vector<tensor::Unit*> units() const override { return {table_.unit}; }

  std::vector<std::string> reads() const override { return {}; }

  std::vector<StateField> writes(int64_t rows, int64_t length) const override;

  bool recomputable() const override { return false; }

  State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const override;

 private:
  std::string name_;
  tensor::Weight table_;
  int64_t hidden_size_;
  int64_t padding_id_;
};

/// x + attention(x), then x + mlp(x).
class DecoderBlock : public Segment {
 public:
  DecoderBlock(std::string name, Attention attention, Mlp mlp, int64_t hidden_size);

  const std::string& name() const override { return name_; }

  std::vector<tensor::Unit*> units() const override;

  std::vector<std::string> reads() const override { return {kHidden}; }

  std::vector<StateField> writes(int64_t rows, int64_t length) const override;

  bool recomputable() const override { return true; }

  State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const override;

 private:
  std::string name_;
  Attention attention_;
  Mlp mlp_;
  int64_t hidden_size_;
};

/// The last norm, the output projection and the loss. The projection may be the embedding's table (tied).
class HeadSegment : public Segment {
 public:
  HeadSegment(std::string name, ops::Norm norm, ops::Linear projection);

  const std::string& name() const override { return name_; }

  std::vector<tensor::Unit*> units() const override;

  std::vector<std::string> reads() const override { return {kHidden}; }

  std::vector<StateField> writes(int64_t rows, int64_t length) const override;

  /// Its loss forms gradients while it runs: running it twice would add them twice.
  bool recomputable() const override { return false; }

  State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const override;

 private:
  std::string name_;
  ops::Norm norm_;
  ops::Linear projection_;
};

}  // namespace automodel::nn
