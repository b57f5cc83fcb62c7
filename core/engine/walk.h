#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/actions.h"
#include "core/engine/micro_graphs.h"
#include "core/nn/segment.h"
#include "core/ops/grad_sink.h"

namespace automodel::engine {

/// What is kept between forward and backward.
enum class Recompute {
  kNone,   ///< everything
  kCheap,  ///< all but what an op can make again for little: normalised rows, products of gated MLPs
  kBlock,  ///< only the inputs of blocks: their forward runs twice
};

/// Executes actions over a list of segments. Autograd lives inside a segment: between segments the walk
/// carries fields and their gradients itself. Owned by one thread; several walks may live side by side.
class Walk {
 public:
  struct Options {
    Recompute recompute = Recompute::kCheap;
    bool defer_weight_grads = false;
    Graphs graphs = Graphs::kOff;  ///< on a GPU; bits do not depend on it
  };

  /// What a step gave: fields that no segment reads, by micro-batch ("loss", "logits").
  using Results = std::vector<nn::State>;

  /// `segments` in order, and the units that they read; both outlive the walk.
  Walk(std::vector<const nn::Segment*> segments, std::vector<tensor::Unit*> units, const Options& options);

  /// Forward and backward of a whole optimizer step; afterwards every trainable unit's grads() is complete.
  /// Micro-batches whose labels are all masked add nothing. Results hold "loss" of each micro-batch,
  /// detached.
  Results train(const std::vector<nn::MicroBatch>& batches);

  /// Forward only, without any graph.
  Results evaluate(const std::vector<nn::MicroBatch>& batches);

  /// Most activations kept at one time since the last call, in segments (tests of recompute and release read
  /// it).
  size_t take_peak_kept() { return std::exchange(peak_kept_, kept_.size()); }

  /// Kinds of micro-batch that are replayed.
  size_t num_graphs() const { return graphs_ ? graphs_->size() : 0; }

 private:
  using Key = std::pair<int, int>;  ///< (micro-batch, segment)
  using Batches = std::vector<nn::MicroBatch>;

  /// A segment's boundary tensors: inputs are leaves; outputs hold the graph, or are empty when recomputed.
  struct Kept {
    nn::State inputs;
    nn::State outputs;
  };

  void execute(const Action& action, const Batches& batches, bool training);
  void forward(int micro_batch, int segment, const nn::MicroBatch& batch, bool training);
  void backward(int micro_batch, int segment, const nn::MicroBatch& batch);
  Results run(const Batches& batches, bool training);

  /// Executes the actions of one micro-batch of a step, or replays what was captured of them.
  void run_micro_batch(std::span<const Action> actions, const Batches& batches);

  /// As they are, and tells the graphs what it saw.
  void run_watched(const MicroGraphs::Key& key, std::span<const Action> actions, const Batches& batches);
  void replay(const MicroGraph& graph, std::span<const Action> actions, const Batches& batches);

  /// Also runs the micro-batch.
  void capture(const MicroGraphs::Key& key, std::span<const Action> actions, const Batches& batches);
  void capture_backward(const MicroGraphs::Key& key,
                        MicroGraph& graph,
                        int micro_batch,
                        const nn::MicroBatch& batch);
  /// The next launch overwrites what the graph gave.
  void take_results(const MicroGraph& graph, int micro_batch);
  void run_head(int micro_batch, const nn::MicroBatch& batch);
  void execute_kind(std::span<const Action> actions, const Batches& batches, ActionKind kind);

  /// By parameter of the units in order.
  std::vector<bool> grads_written() const;
  void set_grads_written(const std::vector<bool>& written);

  /// Whether a segment after `segment` reads the field before another writes it anew.
  bool read_later(const std::string& field, size_t segment) const;

  ops::OpContext op_context(const nn::MicroBatch& batch, bool training);

  std::vector<const nn::Segment*> segments_;
  std::vector<tensor::Unit*> units_;
  std::vector<std::vector<int>> units_of_segment_;
  Options options_;
  ops::GradSink sink_;
  std::unique_ptr<MicroGraphs> graphs_;  ///< null: none
  std::map<Key, Kept> kept_;
  std::map<int, nn::State> live_;                                 ///< fields on their way forward
  std::map<int, std::map<std::string, at::Tensor>> field_grads_;  ///< and their gradients on the way back
  Results results_;
  size_t peak_kept_ = 0;
};

}  // namespace automodel::engine
