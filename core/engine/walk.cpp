#include "core/engine/walk.h"

#include <algorithm>

#include <torch/csrc/autograd/autograd.h>

namespace automodel::engine {
namespace {

std::vector<std::vector<int>> find_units(const std::vector<const nn::Segment*>& segments,
                                         const std::vector<tensor::Unit*>& units) {
  std::vector<std::vector<int>> found;
  for (const nn::Segment* segment : segments) {
    std::vector<int> indices;
    for (const tensor::Unit* unit : segment->units()) {
      const auto at = std::find(units.begin(), units.end(), unit);
      ensure(at != units.end(), segment->name(), " reads a unit that the walk does not know: ", unit->name());
      indices.push_back(static_cast<int>(at - units.begin()));
    }
    found.push_back(std::move(indices));
  }
  return found;
}

bool any_requires_grad(const nn::State& state) {
  return std::any_of(state.fields().begin(), state.fields().end(), [](const auto& field) {
    return field.second.requires_grad();
  });
}

bool any_trainable(const std::vector<tensor::Unit*>& units) {
  return std::any_of(units.begin(), units.end(), [](const tensor::Unit* unit) { return unit->trainable(); });
}

/// A copy of a field that starts a graph of its own.
at::Tensor as_leaf(const at::Tensor& field, bool needs_grad) {
  at::Tensor leaf = field.detach();
  if (needs_grad) leaf.requires_grad_();
  return leaf;
}

/// Fields as they travel: without the graph, but marked with whether a gradient must come back.
nn::State without_graph(const nn::State& outputs, bool needs_grad) {
  nn::State travelling;
  for (const auto& [name, value] : outputs.fields()) {
    travelling.set(name, as_leaf(value, needs_grad && value.is_floating_point()));
  }
  return travelling;
}

}  // namespace

Walk::Walk(std::vector<const nn::Segment*> segments, std::vector<tensor::Unit*> units, const Options& options)
    : segments_(std::move(segments)),
      units_(std::move(units)),
      units_of_segment_(find_units(segments_, units_)),
      options_(options),
      sink_(options.defer_weight_grads ? ops::GradSink::When::kLater : ops::GradSink::When::kNow) {
  const auto stays = [](const tensor::Unit* unit) {
    return unit->options().device.is_cuda() && unit->options().placement == tensor::Placement::kResident;
  };
  const bool possible = !options.defer_weight_grads && std::ranges::all_of(units_, stays);
  if (options.graphs != Graphs::kOff && possible)
    graphs_ = std::make_unique<MicroGraphs>(options.graphs, units_.front()->options().device);
}

ops::OpContext Walk::op_context(const nn::MicroBatch& batch, bool training) {
  return {&sink_, options_.recompute != Recompute::kNone, training ? batch.dropout_keys : at::Tensor()};
}

Walk::Results Walk::train(const std::vector<nn::MicroBatch>& batches) {
  for (tensor::Unit* unit : units_) unit->begin_step();
  return run(batches, true);
}

Walk::Results Walk::evaluate(const std::vector<nn::MicroBatch>& batches) {
  return run(batches, false);
}

Walk::Results Walk::run(const Batches& batches, bool training) {
  kept_.clear();
  live_.clear();
  field_grads_.clear();
  results_.assign(batches.size(), {});
  const Schedule schedule{
      units_of_segment_, static_cast<int>(batches.size()), training, options_.defer_weight_grads};
  const std::vector<Action> actions = plan_actions(schedule);
  for (auto begin = actions.begin(), end = begin; begin != actions.end(); begin = end) {
    end = std::find_if(
        begin, actions.end(), [&](const Action& action) { return action.micro_batch != begin->micro_batch; });
    if (training) {
      run_micro_batch({begin, end}, batches);
    } else {
      for (const Action& action : std::span(begin, end)) execute(action, batches, false);
    }
  }
  ensure(kept_.empty() && sink_.num_deferred() == 0, "a step left activations or weight gradients behind");
  return std::move(results_);
}

void Walk::execute(const Action& action, const Batches& batches, bool training) {
  const auto batch = static_cast<size_t>(action.micro_batch);
  switch (action.kind) {
    case ActionKind::kGather:
      units_[static_cast<size_t>(action.unit)]->gather();
      break;
    case ActionKind::kForward:
      forward(action.micro_batch, action.segment, batches[batch], training);
      break;
    case ActionKind::kBackward:
      backward(action.micro_batch, action.segment, batches[batch]);
      break;
    case ActionKind::kWeightGrads:
      sink_.run_deferred();
      break;
    case ActionKind::kReduce:
      // One rank: its sum is the sum.
      units_[static_cast<size_t>(action.unit)]->finish_grads();
      break;
    case ActionKind::kRelease:
      units_[static_cast<size_t>(action.unit)]->release();
      break;
  }
}

bool Walk::read_later(const std::string& field, size_t segment) const {
  for (size_t s = segment + 1; s < segments_.size(); ++s) {
    const auto reads = segments_[s]->reads();
    if (std::find(reads.begin(), reads.end(), field) != reads.end()) return true;
    const auto writes = segments_[s]->writes(1, 1);
    const bool written =
        std::any_of(writes.begin(), writes.end(), [&](const auto& w) { return w.name == field; });
    if (written) return false;
  }
  return false;
}

void Walk::forward(int micro_batch, int segment, const nn::MicroBatch& batch, bool training) {
  const nn::Segment& module = *segments_[static_cast<size_t>(segment)];
  nn::State& live = live_[micro_batch];
  nn::State inputs;
  for (const std::string& name : module.reads()) {
    const at::Tensor& field = live.at(name);
    inputs.set(name, as_leaf(field, training && field.requires_grad()));
  }
  const bool needs_grad = training && (any_requires_grad(inputs) || any_trainable(module.units()));
  const bool recompute = options_.recompute == Recompute::kBlock && module.recomputable();

  nn::State outputs;
  {
    const c10::AutoGradMode graph(needs_grad && !recompute);
    outputs = module.forward(inputs, batch, op_context(batch, training));
  }
  const nn::State travelling = without_graph(outputs, needs_grad);
  for (const auto& [name, value] : travelling.fields()) live.set(name, value);
  if (needs_grad) {
    kept_[{micro_batch, segment}] = {std::move(inputs), recompute ? nn::State() : std::move(outputs)};
    peak_kept_ = std::max(peak_kept_, kept_.size());
  }

  const std::vector<std::pair<std::string, at::Tensor>> fields = live.fields();
  for (const auto& [name, value] : fields) {
    if (read_later(name, static_cast<size_t>(segment))) continue;
    if (travelling.has(name)) results_[static_cast<size_t>(micro_batch)].set(name, value.detach());
    live.drop(name);
  }
}

void Walk::backward(int micro_batch, int segment, const nn::MicroBatch& batch) {
  const auto found = kept_.find({micro_batch, segment});
  if (found == kept_.end()) return;  // nothing before or in this segment learns
  Kept kept = std::move(found->second);
  kept_.erase(found);
  const nn::Segment& module = *segments_[static_cast<size_t>(segment)];
  const c10::AutoGradMode graph(true);
  if (kept.outputs.fields().empty())
    kept.outputs = module.forward(kept.inputs, batch, op_context(batch, true));

  // A field's gradient belongs to its latest writer; what this segment reads was written before it.
  auto& field_grads = field_grads_[micro_batch];
  std::vector<at::Tensor> roots, root_grads;
  for (const auto& [name, value] : kept.outputs.fields()) {
    const auto incoming = field_grads.find(name);
    const bool is_loss = name == nn::kLoss;
    if (value.requires_grad() && (is_loss || incoming != field_grads.end())) {
      roots.push_back(value);
      root_grads.push_back(is_loss ? at::Tensor() : incoming->second);
    }
    if (incoming != field_grads.end()) field_grads.erase(incoming);
  }
  if (!roots.empty()) torch::autograd::backward(roots, root_grads);
  for (const auto& [name, leaf] : kept.inputs.fields()) {
    if (!leaf.requires_grad() || !leaf.grad().defined()) continue;
    const auto [at, first] = field_grads.try_emplace(name, leaf.grad());
    if (!first) at->second = at->second + leaf.grad();
  }
}

}  // namespace automodel::engine
