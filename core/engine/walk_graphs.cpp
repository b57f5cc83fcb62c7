// A walk's micro-batches as CUDA graphs: captured once, then replayed.
#include <algorithm>
#include <exception>
#include <utility>

#include <ATen/ops/empty_like.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "core/engine/micro_graphs.h"
#include "core/engine/walk.h"
#include "core/ops/cuda/cuda.h"

namespace automodel::engine {

std::vector<bool> Walk::grads_written() const {
  std::vector<bool> written;
  for (const tensor::Unit* unit : units_) {
    for (size_t i = 0; i < unit->parameters().size(); ++i) written.push_back(unit->grad_written(i));
  }
  return written;
}

void Walk::set_grads_written(const std::vector<bool>& written) {
  size_t at = 0;
  for (tensor::Unit* unit : units_) {
    unit->begin_step();
    for (size_t i = 0; i < unit->parameters().size(); ++i) {
      if (written[at++]) unit->mark_grad_written(i, 1);
    }
  }
}

void Walk::execute_kind(std::span<const Action> actions, const Batches& batches, ActionKind kind) {
  for (const Action& action : actions) {
    if (action.kind == kind) execute(action, batches, true);
  }
}

void Walk::run_micro_batch(std::span<const Action> actions, const Batches& batches) {
  const nn::MicroBatch& batch = batches[static_cast<size_t>(actions.front().micro_batch)];
  if (!graphs_ || !graphs_->can_hold(batch)) {
    for (const Action& action : actions) execute(action, batches, true);
    return;
  }
  const MicroGraphs::Key key = MicroGraphs::key_of(batch, grads_written());
  if (const MicroGraph* graph = graphs_->find(key)) {
    replay(*graph, actions, batches);
  } else if (graphs_->wants(key)) {
    capture(key, actions, batches);
  } else {
    run_watched(key, actions, batches);
  }
}

void Walk::run_watched(const MicroGraphs::Key& key, std::span<const Action> actions, const Batches& batches) {
  const at::Device device = graphs_->pool().device;
  const int head = static_cast<int>(segments_.size()) - 1;
  const int64_t before = ops::cuda().allocated(device.index());
  const int64_t allocations = ops::cuda().num_device_allocations(device.index());
  int64_t kept_bytes = 0;
  c10::Event middle(device.type());
  for (const Action& action : actions) {
    execute(action, batches, true);
    if (action.kind == ActionKind::kForward && action.segment == head)
      kept_bytes = ops::cuda().allocated(device.index()) - before;
    if (action.kind == ActionKind::kBackward && action.segment == head / 2)
      middle.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  }
  // An allocation waits for the device by itself.
  const bool settled = ops::cuda().num_device_allocations(device.index()) == allocations;
  graphs_->saw(key, settled && middle.query(), kept_bytes);
}

void Walk::take_results(const MicroGraph& graph, int micro_batch) {
  for (const auto& [name, value] : graph.results.fields())
    results_[static_cast<size_t>(micro_batch)].set(name, value.clone());
}

void Walk::run_head(int micro_batch, const nn::MicroBatch& batch) {
  const int head = static_cast<int>(segments_.size()) - 1;
  forward(micro_batch, head, batch, true);
  backward(micro_batch, head, batch);
}

void Walk::replay(const MicroGraph& graph, std::span<const Action> actions, const Batches& batches) {
  const int m = actions.front().micro_batch;
  const nn::MicroBatch& batch = batches[static_cast<size_t>(m)];
  execute_kind(actions, batches, ActionKind::kGather);
  refill(graph.inputs, batch);
  graph.forward.launch();
  take_results(graph, m);
  live_[m] = graph.boundary;
  run_head(m, batch);
  ensure(grads_written() == graph.written_by_head, "captured work meets gradients in another state");
  for (const auto& [name, grad] : graph.grads) grad.copy_(field_grads_[m].at(name));
  field_grads_.erase(m);
  if (graph.backward) graph.backward.launch();
  set_grads_written(graph.written_after);
  execute_kind(actions, batches, ActionKind::kReduce);
}

void Walk::capture(const MicroGraphs::Key& key, std::span<const Action> actions, const Batches& batches) {
  const int m = actions.front().micro_batch;
  const int head = static_cast<int>(segments_.size()) - 1;
  const nn::MicroBatch& batch = batches[static_cast<size_t>(m)];
  MicroGraph graph;
  graph.inputs = fixed_copy(batch);
  execute_kind(actions, batches, ActionKind::kGather);
  try {
    graph.forward = ops::CudaGraph(graphs_->pool(), [&] {
      for (int s = 0; s < head; ++s) forward(m, s, graph.inputs, true);
    });
  } catch (const std::exception& error) {
    graphs_->failed(key, error.what());
    kept_.clear();
    live_.erase(m);
    results_[static_cast<size_t>(m)] = {};
    run_watched(key, actions, batches);
    return;
  }
  graph.boundary = live_[m];
  graph.results = std::exchange(results_[static_cast<size_t>(m)], {});
  graph.forward.launch();
  take_results(graph, m);
  run_head(m, batch);
  capture_backward(key, graph, m, batch);
  execute_kind(actions, batches, ActionKind::kReduce);
}

void Walk::capture_backward(const MicroGraphs::Key& key,
                            MicroGraph& graph,
                            int micro_batch,
                            const nn::MicroBatch& batch) {
  const int head = static_cast<int>(segments_.size()) - 1;
  const auto blocks_backward = [&](const nn::MicroBatch& inputs) {
    for (int s = head - 1; s >= 0; --s) backward(micro_batch, s, inputs);
  };
  const std::map<std::string, at::Tensor> incoming = field_grads_[micro_batch];
  const std::vector<bool> written_before = grads_written();
  for (const auto& [name, grad] : incoming)
    field_grads_[micro_batch][name] = graph.grads[name] = at::empty_like(grad).copy_(grad);
  try {
    if (!incoming.empty())
      graph.backward = ops::CudaGraph(graphs_->pool(), [&] { blocks_backward(graph.inputs); });
  } catch (const std::exception& error) {
    graphs_->failed(key, error.what());
    // The captured forward cannot be walked back any more: the blocks run again.
    set_grads_written(written_before);
    kept_.clear();
    live_.erase(micro_batch);
    for (int s = 0; s < head; ++s) forward(micro_batch, s, batch, true);
    live_.erase(micro_batch);
    field_grads_[micro_batch] = incoming;
    blocks_backward(batch);
    return;
  }
  kept_.clear();
  field_grads_.erase(micro_batch);
  if (graph.backward) graph.backward.launch();
  graph.written_by_head = written_before;
  graph.written_after = grads_written();
  graphs_->add(key, std::move(graph));
}

}  // namespace automodel::engine
