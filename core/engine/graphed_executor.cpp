#include "core/engine/graphed_executor.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <ATen/ops/empty_like.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "core/ops/cuda/cuda.h"

namespace automodel::engine {
namespace {

using Actions = std::span<const Action>;

/// The actions at the beginning of a list that are of one micro-batch.
Actions first_micro_batch(Actions actions) {
  const auto end = std::ranges::find_if(
      actions, [&](const Action& action) { return action.micro_batch != actions.front().micro_batch; });
  return {actions.begin(), end};
}

/// Whether the units lie on a GPU and their weights stay there: captured work reads them at fixed places.
bool all_stay(const std::vector<tensor::FlatParameter*>& units) {
  return std::ranges::all_of(units, [](const tensor::FlatParameter* unit) {
    return unit->options().device.is_cuda() && unit->options().placement == tensor::Placement::kResident;
  });
}

}  // namespace

bool is_graphable(Actions actions, int num_segments) {
  for (int next = -1; !actions.empty();) {
    const Actions block = first_micro_batch(actions);
    if (block.front().micro_batch <= next) return false;
    next = block.front().micro_batch;
    int step = 0;  // forwards 0 .. n - 1, then backwards n - 1 .. 0
    for (const Action& action : block) {
      switch (action.kind) {
        case ActionKind::kForward:
          if (action.segment != step++) return false;
          break;
        case ActionKind::kBackward:
          if (step < num_segments || action.segment != 2 * num_segments - 1 - step++) return false;
          break;
        case ActionKind::kGather:
        case ActionKind::kReduce:
        case ActionKind::kRelease:
          break;
        default:
          return false;
      }
    }
    if (step != 2 * num_segments) return false;
    actions = actions.subspan(block.size());
  }
  return true;
}

GraphedExecutor::GraphedExecutor(std::vector<const nn::Segment*> segments,
                                 std::vector<tensor::FlatParameter*> units,
                                 at::Device device,
                                 const Options& options)
    : executor_(std::move(segments), std::move(units), options.executor) {
  if (options.graphs != Graphs::kOff && device.is_cuda() && all_stay(executor_.units()))
    graphs_ = std::make_unique<CudaGraphCache>(options.graphs, device);
}

GraphedExecutor::Results GraphedExecutor::train(const Batches& batches) {
  const std::vector<Action> actions = executor_.plan(batches.size(), true);
  if (!graphs_ || !is_graphable(actions, executor_.num_segments()))
    return executor_.run(actions, batches, true);
  executor_.begin(batches.size(), true);
  for (Actions left = actions; !left.empty();) {
    const Actions block = first_micro_batch(left);
    run_micro_batch(block, batches);
    left = left.subspan(block.size());
  }
  return executor_.finish();
}

std::vector<bool> GraphedExecutor::grads_written() const {
  std::vector<bool> written;
  for (const tensor::FlatParameter* unit : executor_.units()) {
    for (size_t i = 0; i < unit->parameters().size(); ++i) written.push_back(unit->grad_written(i));
  }
  return written;
}

void GraphedExecutor::set_grads_written(const std::vector<bool>& written) {
  size_t at = 0;
  for (tensor::FlatParameter* unit : executor_.units()) {
    unit->begin_step();
    for (size_t i = 0; i < unit->parameters().size(); ++i) {
      if (written[at++]) unit->mark_grad_written(i, 1);
    }
  }
}

void GraphedExecutor::execute_kind(Actions actions, const Batches& batches, ActionKind kind) {
  for (const Action& action : actions) {
    if (action.kind == kind) executor_.execute(action, batches);
  }
}

void GraphedExecutor::run_micro_batch(Actions actions, const Batches& batches) {
  const nn::MicroBatch& batch = batches[static_cast<size_t>(actions.front().micro_batch)];
  if (!graphs_->can_hold(batch)) {
    for (const Action& action : actions) executor_.execute(action, batches);
    return;
  }
  const CudaGraphCache::Key key = CudaGraphCache::key_of(batch, grads_written());
  if (const MicroBatchGraph* graph = graphs_->find(key)) {
    replay(*graph, actions, batches);
  } else if (graphs_->wants(key)) {
    capture(key, actions, batches);
  } else {
    run_watched(key, actions, batches);
  }
}

void GraphedExecutor::run_watched(const CudaGraphCache::Key& key, Actions actions, const Batches& batches) {
  const at::Device device = graphs_->pool().device;
  const int64_t before = ops::cuda().allocated(device.index());
  const int64_t allocations = ops::cuda().num_device_allocations(device.index());
  int64_t kept_bytes = 0;
  c10::Event middle(device.type());
  for (const Action& action : actions) {
    executor_.execute(action, batches);
    if (action.kind == ActionKind::kForward && action.segment == head())
      kept_bytes = ops::cuda().allocated(device.index()) - before;
    if (action.kind == ActionKind::kBackward && action.segment == head() / 2)
      middle.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  }
  // An allocation waits for the device by itself.
  const bool settled = ops::cuda().num_device_allocations(device.index()) == allocations;
  graphs_->saw(key, settled && middle.query(), kept_bytes);
}

void GraphedExecutor::take_results(const MicroBatchGraph& graph, int micro_batch) {
  for (const auto& [name, value] : graph.results.fields())
    executor_.in_flight(micro_batch).results.set(name, value.clone());
}

void GraphedExecutor::run_head(int micro_batch, const nn::MicroBatch& batch) {
  executor_.forward(micro_batch, head(), batch);
  executor_.backward(micro_batch, head(), batch);
}

void GraphedExecutor::replay(const MicroBatchGraph& graph, Actions actions, const Batches& batches) {
  const int m = actions.front().micro_batch;
  const nn::MicroBatch& batch = batches[static_cast<size_t>(m)];
  execute_kind(actions, batches, ActionKind::kGather);
  refill(graph.inputs, batch);
  graph.forward.launch();
  take_results(graph, m);
  executor_.in_flight(m).fields = graph.boundary;
  run_head(m, batch);
  ensure(grads_written() == graph.written_by_head,
         "a CUDA graph was captured with other gradients written than at its replay");
  for (const auto& [name, grad] : graph.grads) grad.copy_(executor_.in_flight(m).field_grads.at(name));
  executor_.in_flight(m).field_grads.clear();
  if (graph.backward) graph.backward.launch();
  set_grads_written(graph.written_after);
  execute_kind(actions, batches, ActionKind::kReduce);
}

void GraphedExecutor::capture(const CudaGraphCache::Key& key, Actions actions, const Batches& batches) {
  const int m = actions.front().micro_batch;
  const nn::MicroBatch& batch = batches[static_cast<size_t>(m)];
  MicroBatchGraph graph;
  graph.inputs = fixed_copy(batch);
  execute_kind(actions, batches, ActionKind::kGather);
  try {
    graph.forward = ops::CudaGraph(graphs_->pool(), [&] {
      for (int s = 0; s < head(); ++s) executor_.forward(m, s, graph.inputs);
    });
  } catch (const std::exception& error) {
    graphs_->failed(key, error.what());
    executor_.in_flight(m) = {};
    run_watched(key, actions, batches);
    return;
  }
  graph.boundary = executor_.in_flight(m).fields;
  graph.results = std::exchange(executor_.in_flight(m).results, {});
  graph.forward.launch();
  take_results(graph, m);
  run_head(m, batch);
  capture_backward(key, graph, m, batch);
  execute_kind(actions, batches, ActionKind::kReduce);
}

void GraphedExecutor::capture_backward(const CudaGraphCache::Key& key,
                                       MicroBatchGraph& graph,
                                       int micro_batch,
                                       const nn::MicroBatch& batch) {
  Executor::InFlight& flight = executor_.in_flight(micro_batch);
  const auto blocks_backward = [&](const nn::MicroBatch& inputs) {
    for (int s = head() - 1; s >= 0; --s) executor_.backward(micro_batch, s, inputs);
  };
  const std::map<std::string, at::Tensor> incoming = flight.field_grads;
  const std::vector<bool> written_before = grads_written();
  for (const auto& [name, grad] : incoming)
    flight.field_grads[name] = graph.grads[name] = at::empty_like(grad).copy_(grad);
  try {
    if (!incoming.empty())
      graph.backward = ops::CudaGraph(graphs_->pool(), [&] { blocks_backward(graph.inputs); });
  } catch (const std::exception& error) {
    graphs_->failed(key, error.what());
    // The captured forward cannot be walked back any more: the blocks run again.
    set_grads_written(written_before);
    flight.saved.clear();
    flight.fields = {};
    for (int s = 0; s < head(); ++s) executor_.forward(micro_batch, s, batch);
    flight.fields = {};
    flight.field_grads = incoming;
    blocks_backward(batch);
    return;
  }
  flight.saved.clear();
  flight.field_grads.clear();
  if (graph.backward) graph.backward.launch();
  graph.written_by_head = written_before;
  graph.written_after = grads_written();
  graphs_->add(key, std::move(graph));
}

}  // namespace automodel::engine
