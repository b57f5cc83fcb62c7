#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/engine/cuda_graph_cache.h"
#include "core/engine/executor.h"

namespace automodel::engine {

/// An executor whose micro-batches are captured as CUDA graphs, once per shape, and then replayed. Bits do
/// not depend on it. Lists that graphs cannot follow in their order run as they are: see is_graphable().
/// Owned by one thread.
class GraphedExecutor {
 public:
  using Results = Executor::Results;
  using Batches = Executor::Batches;

  struct Options {
    Executor::Options executor{};
    Graphs graphs = Graphs::kOff;
  };

  /// As Executor. `device`: where segments compute.
  GraphedExecutor(std::vector<const nn::Segment*> segments,
                  std::vector<tensor::FlatParameter*> units,
                  at::Device device,
                  const Options& options);

  Results train(const Batches& batches);

  Results evaluate(const Batches& batches) { return executor_.evaluate(batches); }

  /// Kinds of micro-batch that are replayed.
  size_t num_graphs() const { return graphs_ ? graphs_->size() : 0; }

 private:
  using Actions = std::span<const Action>;

  /// The actions of one micro-batch, as they are or by its graph.
  void run_micro_batch(Actions actions, const Batches& batches);

  /// As they are, and tells the cache what it saw.
  void run_watched(const CudaGraphCache::Key& key, Actions actions, const Batches& batches);
  void replay(const MicroBatchGraph& graph, Actions actions, const Batches& batches);

  /// Also runs the micro-batch.
  void capture(const CudaGraphCache::Key& key, Actions actions, const Batches& batches);
  void capture_backward(const CudaGraphCache::Key& key,
                        MicroBatchGraph& graph,
                        int micro_batch,
                        const nn::MicroBatch& batch);

  /// The next launch overwrites what the graph gave.
  void take_results(const MicroBatchGraph& graph, int micro_batch);
  void run_head(int micro_batch, const nn::MicroBatch& batch);
  void execute_kind(Actions actions, const Batches& batches, ActionKind kind);

  int head() const { return executor_.num_segments() - 1; }

  /// By parameter of the units in order.
  std::vector<bool> grads_written() const;
  void set_grads_written(const std::vector<bool>& written);

  Executor executor_;
  std::unique_ptr<CudaGraphCache> graphs_;  ///< null: none
};

/// Whether a list is, for each micro-batch in turn, every forward in ascending order and then every backward
/// in descending order, with nothing beside but gathers, reduces and releases. A replay gathers before it and
/// reduces after it, which is the same for units that stay in memory of one rank.
bool is_graphable(std::span<const Action> actions, int num_segments);

}  // namespace automodel::engine
