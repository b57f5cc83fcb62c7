#include "core/engine/executor.h"

#include <algorithm>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

namespace automodel::engine {
namespace {

std::vector<std::vector<int>> find_units(const std::vector<const nn::Segment*>& segments,
                                         const std::vector<tensor::FlatParameter*>& units) {
  std::vector<std::vector<int>> found;
  for (const nn::Segment* segment : segments) {
    std::vector<int> indices;
    for (const tensor::FlatParameter* unit : segment->units()) {
      const auto at = std::find(units.begin(), units.end(), unit);
      ensure(at != units.end(),
             segment->name(),
             " reads a unit that the executor does not know: ",
             unit->name());
      indices.push_back(static_cast<int>(at - units.begin()));
    }
    found.push_back(std::move(indices));
  }
  return found;
}

/// By segment, the fields that later segments or, behind the last, the next stage read before they are
/// written anew.
std::vector<std::set<std::string>> find_live_fields(const std::vector<const nn::Segment*>& segments,
                                                    const Pipeline& pipeline) {
  const nn::BatchShape any{};
  std::set<std::string> live;
  if (pipeline.outgoing) {
    for (const nn::StateField& field : pipeline.outgoing(any)) live.insert(field.name);
  }
  std::vector<std::set<std::string>> live_after(segments.size());
  for (size_t s = segments.size(); s-- > 0;) {
    live_after[s] = live;
    for (const nn::StateField& field : segments[s]->writes(any)) live.erase(field.name);
    for (const std::string& name : segments[s]->reads()) live.insert(name);
  }
  return live_after;
}

bool any_requires_grad(const nn::State& state) {
  return std::any_of(state.fields().begin(), state.fields().end(), [](const auto& field) {
    return field.second.requires_grad();
  });
}

bool any_trainable(const std::vector<tensor::FlatParameter*>& units) {
  return std::any_of(
      units.begin(), units.end(), [](const tensor::FlatParameter* unit) { return unit->trainable(); });
}

/// A copy of a field that starts a graph of its own.
at::Tensor as_leaf(const at::Tensor& field, bool needs_grad) {
  at::Tensor leaf = field.detach();
  if (needs_grad) leaf.requires_grad_();
  return leaf;
}

/// A segment's outputs, compared with what it said of them, as they travel: without the graph, but marked
/// with whether a gradient must come back.
nn::State as_written(const nn::Segment& segment,
                     const nn::State& outputs,
                     const nn::MicroBatch& batch,
                     bool needs_grad) {
  const std::vector<nn::StateField> said = segment.writes(nn::BatchShape::of(batch));
  nn::State travelling;
  for (const nn::StateField& field : said) {
    const at::Tensor& value = outputs.at(field.name);
    ensure(value.sizes() == field.shape && value.scalar_type() == field.dtype,
           segment.name(),
           " wrote ",
           field.name,
           " ",
           value.sizes(),
           " ",
           value.scalar_type(),
           " and had said ",
           at::IntArrayRef(field.shape),
           " ",
           field.dtype);
    travelling.set(field.name, as_leaf(value, needs_grad && field.needs_grad));
  }
  ensure(outputs.fields().size() == said.size(), segment.name(), " wrote fields that it had not named");
  return travelling;
}

}  // namespace

Executor::Executor(std::vector<const nn::Segment*> segments,
                   std::vector<tensor::FlatParameter*> units,
                   const Options& options)
    : segments_(std::move(segments)),
      units_(std::move(units)),
      units_of_segment_(find_units(segments_, units_)),
      live_after_(find_live_fields(segments_, options.pipeline)),
      options_(options) {}

Executor::Results Executor::train(const Batches& batches) {
  return run(plan(batches.size(), true), batches, true);
}

Executor::Results Executor::evaluate(const Batches& batches) {
  return run(plan(batches.size(), false), batches, false);
}

Executor::Results Executor::run(std::span<const Action> actions, const Batches& batches, bool training) {
  begin(batches.size(), training);
  for (const Action& action : actions) execute(action, batches);
  return finish();
}

std::vector<Action> Executor::plan(size_t num_micro_batches, bool training) const {
  return plan_actions({.units_of_segment = units_of_segment_,
                       .num_micro_batches = static_cast<int>(num_micro_batches),
                       .train = training,
                       .defer_weight_grads = options_.defer_weight_grads,
                       .stage = options_.pipeline.stage,
                       .num_stages = options_.pipeline.num_stages,
                       .prefetch_depth = options_.prefetch_depth});
}

void Executor::begin(size_t num_micro_batches, bool training) {
  in_flight_.clear();
  in_flight_.resize(num_micro_batches);
  training_ = training;
  if (!training) return;
  for (tensor::FlatParameter* unit : units_) unit->begin_step();
}

Executor::Results Executor::finish() {
  Results results;
  for (InFlight& micro_batch : in_flight_) {
    ensure(micro_batch.saved.empty() && micro_batch.later.empty(),
           "a list of actions left activations or weight gradients behind");
    results.push_back(std::move(micro_batch.results));
  }
  in_flight_.clear();
  return results;
}

void Executor::execute(const Action& action, const Batches& batches) {
  const nn::MicroBatch& batch = batches.at(static_cast<size_t>(action.micro_batch));
  const auto unit = [&]() -> tensor::FlatParameter& { return *units_.at(static_cast<size_t>(action.unit)); };
  switch (action.kind) {
    case ActionKind::kPrefetch:
      return unit().prefetch();
    case ActionKind::kGather:
      return unit().gather();
    case ActionKind::kForward:
      return forward(action.micro_batch, action.segment, batch);
    case ActionKind::kBackward:
      return backward(action.micro_batch, action.segment, batch);
    case ActionKind::kWeightGrads:
      if (auto put_off = in_flight(action.micro_batch).later.extract(action.segment))
        put_off.mapped().run_deferred();
      return;
    case ActionKind::kReduce:
      return unit().reduce_grads();
    case ActionKind::kRelease:
      return unit().release();
    case ActionKind::kSend:
      return send(action, batch);
    case ActionKind::kReceive:
      return receive(action, batch);
    case ActionKind::kSendGrads:
      return send_grads(action, batch);
    case ActionKind::kReceiveGrads:
      return receive_grads(action, batch);
  }
}

ops::OpContext Executor::op_context(int micro_batch, int segment, const nn::MicroBatch& batch) {
  // The model's last segment forms weight gradients while its logits exist: they cannot wait.
  const bool is_head =
      options_.pipeline.stage + 1 == options_.pipeline.num_stages && segment + 1 == num_segments();
  ops::GradSink* sink = &sink_;
  if (training_ && options_.defer_weight_grads && !is_head)
    sink = &in_flight(micro_batch).later.try_emplace(segment, ops::GradSink::When::kLater).first->second;
  return {sink, options_.recompute != Recompute::kNone, training_ ? batch.dropout_keys : at::Tensor()};
}

void Executor::forward(int micro_batch, int segment, const nn::MicroBatch& batch) {
  const nn::Segment& module = *segments_.at(static_cast<size_t>(segment));
  InFlight& flight = in_flight(micro_batch);
  nn::State inputs;
  for (const std::string& name : module.reads()) {
    const at::Tensor& field = flight.fields.at(name);
    inputs.set(name, as_leaf(field, training_ && field.requires_grad()));
  }
  const bool needs_grad = training_ && (any_requires_grad(inputs) || any_trainable(module.units()));
  const bool recompute = options_.recompute == Recompute::kBlock && module.recomputable();

  nn::State outputs;
  {
    const c10::AutoGradMode graph(needs_grad && !recompute);
    outputs = module.forward(inputs, batch, op_context(micro_batch, segment, batch));
  }
  const nn::State travelling = as_written(module, outputs, batch, needs_grad);
  for (const auto& [name, value] : travelling.fields()) flight.fields.set(name, value);
  if (needs_grad) {
    flight.saved[segment] = {std::move(inputs), recompute ? nn::State() : std::move(outputs)};
    peak_saved_ = std::max(peak_saved_, num_saved());
  }

  const std::set<std::string>& live = live_after_[static_cast<size_t>(segment)];
  const std::vector<std::pair<std::string, at::Tensor>> fields = flight.fields.fields();
  for (const auto& [name, value] : fields) {
    if (live.contains(name)) continue;
    if (travelling.has(name)) flight.results.set(name, value.detach());
    flight.fields.drop(name);
  }
}

void Executor::backward(int micro_batch, int segment, const nn::MicroBatch& batch) {
  InFlight& flight = in_flight(micro_batch);
  auto found = flight.saved.extract(segment);
  if (!found) return;  // nothing before or in this segment learns
  Saved& saved = found.mapped();
  const nn::Segment& module = *segments_[static_cast<size_t>(segment)];
  const c10::AutoGradMode graph(true);
  if (saved.outputs.fields().empty())
    saved.outputs = module.forward(saved.inputs, batch, op_context(micro_batch, segment, batch));

  // A field's gradient belongs to its latest writer; what this segment reads was written before it.
  std::vector<at::Tensor> roots, root_grads;
  for (const auto& [name, value] : saved.outputs.fields()) {
    const auto incoming = flight.field_grads.find(name);
    const bool is_loss = name == nn::kLoss;
    if (value.requires_grad() && (is_loss || incoming != flight.field_grads.end())) {
      roots.push_back(value);
      root_grads.push_back(is_loss ? at::Tensor() : incoming->second);
    }
    if (incoming != flight.field_grads.end()) flight.field_grads.erase(incoming);
  }
  if (!roots.empty()) torch::autograd::backward(roots, root_grads);
  for (const auto& [name, leaf] : saved.inputs.fields()) {
    if (!leaf.requires_grad() || !leaf.grad().defined()) continue;
    const auto [at, first] = flight.field_grads.try_emplace(name, leaf.grad());
    if (!first) at->second = at->second + leaf.grad();
  }
}

void Executor::send(const Action& action, const nn::MicroBatch& batch) {
  nn::State& fields = in_flight(action.micro_batch).fields;
  for (const nn::StateField& field : options_.pipeline.outgoing(nn::BatchShape::of(batch))) {
    options_.pipeline.ranks->send(field.name, fields.at(field.name).detach().contiguous(), action.peer);
    fields.drop(field.name);
  }
}

void Executor::receive(const Action& action, const nn::MicroBatch& batch) {
  nn::State& fields = in_flight(action.micro_batch).fields;
  for (const nn::StateField& field : options_.pipeline.incoming(nn::BatchShape::of(batch))) {
    at::Tensor value = at::empty(field.shape, at::device(options_.pipeline.device).dtype(field.dtype));
    options_.pipeline.ranks->receive(field.name, value, action.peer);
    if (training_ && field.needs_grad) value.requires_grad_();
    fields.set(field.name, value);
  }
}

void Executor::send_grads(const Action& action, const nn::MicroBatch& batch) {
  auto& grads = in_flight(action.micro_batch).field_grads;
  for (const nn::StateField& field : options_.pipeline.incoming(nn::BatchShape::of(batch))) {
    if (!field.needs_grad) continue;
    const auto grad = grads.extract(field.name);
    // No label of the micro-batch has given one.
    const at::Tensor value =
        grad ? grad.mapped()
             : at::zeros(field.shape, at::device(options_.pipeline.device).dtype(field.dtype));
    options_.pipeline.ranks->send("grad." + field.name, value.contiguous(), action.peer);
  }
}

void Executor::receive_grads(const Action& action, const nn::MicroBatch& batch) {
  auto& grads = in_flight(action.micro_batch).field_grads;
  for (const nn::StateField& field : options_.pipeline.outgoing(nn::BatchShape::of(batch))) {
    if (!field.needs_grad) continue;
    at::Tensor value = at::empty(field.shape, at::device(options_.pipeline.device).dtype(field.dtype));
    options_.pipeline.ranks->receive("grad." + field.name, value, action.peer);
    grads[field.name] = value;
  }
}

size_t Executor::num_saved() const {
  size_t count = 0;
  for (const InFlight& micro_batch : in_flight_) count += micro_batch.saved.size();
  return count;
}

}  // namespace automodel::engine
