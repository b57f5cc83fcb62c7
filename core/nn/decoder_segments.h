#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/nn/attention.h"
#include "core/nn/delta_net.h"
#include "core/nn/latent_attention.h"
#include "core/nn/mamba2.h"
#include "core/nn/mlp.h"
#include "core/nn/moe.h"
#include "core/nn/next_token.h"
#include "core/nn/pooled_head.h"
#include "core/nn/segment.h"

namespace automodel::nn {

/// Token ids to the residual stream.
struct Embedding {
  tensor::Weight table;                 ///< [V, D]
  tensor::Weight positions;             ///< [positions, D]; a null handle: none are learnt
  int64_t position_offset = 0;          ///< row of position 0
  bool positions_skip_padding = false;  ///< tokens of padding_id take the row before it and are not counted
  tensor::Weight token_types{};         ///< [types, D]; a null handle: none
  ops::Norm norm = ops::Norm::none();   ///< of the sum
  int64_t padding_id = -1;              ///< its row gets no gradient from here; -1: none
  double scale = 1.0;                   ///< of the table's rows
  double dropout = 0.0;                 ///< of the normalised sum
};

class EmbedSegment : public Segment {
 public:
  /// `units`: those that its parameters lie in.
  EmbedSegment(std::string name, Embedding embedding, std::vector<tensor::FlatParameter*> units);

  const std::string& name() const override { return name_; }

  std::vector<tensor::FlatParameter*> units() const override { return units_; }

  std::vector<std::string> reads() const override { return {}; }

  std::vector<StateField> writes(const BatchShape& shape) const override;

  bool recomputable() const override { return false; }

  State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const override;

 private:
  std::string name_;
  Embedding embedding_;
  std::vector<tensor::FlatParameter*> units_;
};

using Mixer = std::variant<Attention, LatentAttention, Mamba2, DeltaNet, Mlp, Moe>;

/// One mixer and the norm of its output.
struct ResidualBranch {
  Mixer mixer;
  ops::Norm output_norm = ops::Norm::none();
  double in_multiplier = 1.0;   ///< of what the mixer reads, behind the sub_layer's input_norm
  double out_multiplier = 1.0;  ///< of what it adds
  double dropout = 0.0;         ///< of what it adds
  uint64_t dropout_site = 0;    ///< see ops/dropout.h
};

/// x + multiplier * sum over branches of output_norm(mixer(input_norm(x))), normalised by sum_norm.
struct SubLayer {
  std::vector<ResidualBranch> branches;
  ops::Norm input_norm = ops::Norm::none();  ///< of all branches together; each mixer may have its own
  ops::Norm sum_norm = ops::Norm::none();
  double multiplier = 1.0;

  at::Tensor forward(const at::Tensor& x_BTD, const MixerInput& in) const;

  /// Whether it is x + mixer(x).
  bool is_plain() const;
};

/// A layer: its sub_layers one after another. One with experts also writes their load, and hands on the sums
/// of the auxiliary loss where there is one.
class DecoderBlock : public Segment {
 public:
  /// `units`: those that the sub_layers' weights and adapters lie in. `adds_to_router`: a block before this
  /// one has sums of the auxiliary loss.
  DecoderBlock(std::string name,
               std::vector<SubLayer> sub_layers,
               std::vector<tensor::FlatParameter*> units,
               int64_t hidden_size,
               bool adds_to_router = false);

  const std::string& name() const override { return name_; }

  std::vector<tensor::FlatParameter*> units() const override { return units_; }

  std::vector<std::string> reads() const override;

  std::vector<StateField> writes(const BatchShape& shape) const override;

  bool recomputable() const override { return true; }

  State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const override;

 private:
  std::string name_;
  std::vector<SubLayer> sub_layers_;
  std::vector<tensor::FlatParameter*> units_;
  int64_t hidden_size_;
  const arch::MoeConfig* moe_ = nullptr;  ///< of the experts in sub_layers_; null: none
  bool adds_to_router_;
};

/// What the model is trained to do, and what it gives beside the loss.
using Objective = std::variant<NextToken, RowLabels, RowVector>;

/// The last norm and the objective.
class HeadSegment : public Segment {
 public:
  /// `units`: those that its parameters and adapters lie in, a tied table's too.
  HeadSegment(std::string name,
              ops::Norm norm,
              Objective objective,
              std::vector<tensor::FlatParameter*> units);

  const std::string& name() const override { return name_; }

  std::vector<tensor::FlatParameter*> units() const override { return units_; }

  std::vector<std::string> reads() const override;

  std::vector<StateField> writes(const BatchShape& shape) const override;

  /// Its loss forms gradients while it runs: running it twice would add them twice.
  bool recomputable() const override { return false; }

  State forward(const State& in, const MicroBatch& batch, const ops::OpContext& context) const override;

 private:
  std::string name_;
  ops::Norm norm_;
  Objective objective_;
  std::vector<tensor::FlatParameter*> units_;
};

}  // namespace automodel::nn
