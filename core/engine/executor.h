#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/dist/communicator.h"
#include "core/engine/actions.h"
#include "core/nn/segment.h"
#include "core/ops/grad_sink.h"

namespace automodel::engine {

/// What is saved between forward and backward.
enum class Recompute {
  kNone,   ///< everything
  kCheap,  ///< all but what an op can make again for little: normalised rows, products of gated MLPs
  kBlock,  ///< only the inputs of blocks: their forward runs twice
};

/// The fields at a stage's ends, of a micro-batch; needs_grad says which gradients come back.
using Boundary = std::function<std::vector<nn::StateField>(const nn::BatchShape&)>;

/// A stage's place in a pipeline.
struct Pipeline {
  int stage = 0;
  int num_stages = 1;
  dist::Communicator* ranks = nullptr;  ///< of the stages, by stage; null: there is one
  Boundary incoming{};                  ///< before the first segment
  Boundary outgoing{};                  ///< after the last
  at::Device device = at::kCPU;         ///< where received fields lie
};

/// Executes actions, in the order of their list, over the segments of one stage. Autograd lives inside a
/// segment: between segments the executor carries fields and their gradients itself. Owned by one thread;
/// several executors may live side by side.
class Executor {
 public:
  struct Options {
    Recompute recompute = Recompute::kCheap;
    bool defer_weight_grads = false;
    int prefetch_depth = 0;
    Pipeline pipeline{};
  };

  /// What a step gives: fields that no segment reads, by micro-batch ("loss", "logits").
  using Results = std::vector<nn::State>;
  using Batches = std::vector<nn::MicroBatch>;

  /// A segment's boundary tensors: inputs are leaves; outputs hold the graph, or are empty when recomputed.
  struct Saved {
    nn::State inputs;
    nn::State outputs;
  };

  /// What a micro-batch has between two actions.
  struct InFlight {
    nn::State fields;                               ///< on their way forward
    std::map<int, Saved> saved;                     ///< by segment
    std::map<int, ops::GradSink> later;             ///< weight gradients that were put off, by segment
    std::map<std::string, at::Tensor> field_grads;  ///< on their way back
    nn::State results;
  };

  /// `segments` in order, and the units that they read; both outlive the executor.
  Executor(std::vector<const nn::Segment*> segments,
           std::vector<tensor::FlatParameter*> units,
           const Options& options);

  /// Forward and backward of a whole optimizer step; afterwards every trainable unit's main_grads() is
  /// complete. Micro-batches whose labels are all masked add nothing. Results hold "loss" of each
  /// micro-batch, detached.
  Results train(const Batches& batches);

  /// Forward only, without any graph.
  Results evaluate(const Batches& batches);

  /// Runs a list of train()'s kind. Throws Error(kInternal) for a list that leaves something in flight.
  Results run(std::span<const Action> actions, const Batches& batches, bool training);

  /// Most activations saved at one time since the last call, in segments.
  size_t take_peak_saved() { return std::exchange(peak_saved_, num_saved()); }

  // What run() consists of, for executors that run some of the list in another way.

  std::vector<Action> plan(size_t num_micro_batches, bool training) const;
  void begin(size_t num_micro_batches, bool training);
  void execute(const Action& action, const Batches& batches);
  Results finish();

  void forward(int micro_batch, int segment, const nn::MicroBatch& batch);
  void backward(int micro_batch, int segment, const nn::MicroBatch& batch);

  InFlight& in_flight(int micro_batch) { return in_flight_.at(static_cast<size_t>(micro_batch)); }

  int num_segments() const { return static_cast<int>(segments_.size()); }

  const std::vector<tensor::FlatParameter*>& units() const { return units_; }

 private:
  size_t num_saved() const;

  void send(const Action& action, const nn::MicroBatch& batch);
  void receive(const Action& action, const nn::MicroBatch& batch);
  void send_grads(const Action& action, const nn::MicroBatch& batch);
  void receive_grads(const Action& action, const nn::MicroBatch& batch);

  /// With the sink of weight gradients that this segment forms now or, when put off, later.
  ops::OpContext op_context(int micro_batch, int segment, const nn::MicroBatch& batch);

  std::vector<const nn::Segment*> segments_;
  std::vector<tensor::FlatParameter*> units_;
  std::vector<std::vector<int>> units_of_segment_;
  std::vector<std::set<std::string>> live_after_;  ///< by segment: fields that a later one reads
  Options options_;
  ops::GradSink sink_;               ///< of weight gradients that are formed at once
  std::vector<InFlight> in_flight_;  ///< by micro-batch
  bool training_ = false;            ///< of the list that runs
  size_t peak_saved_ = 0;
};

}  // namespace automodel::engine
