#include "core/optim/optimizer.h"

#include <cmath>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/optim/algorithm.h"
#include "core/tensor/host_memory.h"

namespace automodel::optim {
namespace {

using kernels::Element;

Element element_of(at::ScalarType type) {
  ensure(type == at::kFloat || type == at::kBFloat16, "no update of values in ", type);
  return type == at::kFloat ? Element::kFloat32 : Element::kBFloat16;
}

/// Where an element of a flat tensor lies.
void* address(const at::Tensor& flat, int64_t element) {
  return static_cast<char*>(flat.mutable_data_ptr()) + element * static_cast<int64_t>(flat.element_size());
}

void check_type(const tensor::FlatParameter& unit, const config::OptimizerConfig& config) {
  const at::ScalarType type = unit.main_weights().scalar_type();
  check(type == at::kFloat || type == at::kBFloat16,
        ErrorCode::kUnsupported,
        "training weights of type ",
        type,
        "; use model.torch_dtype float32 or bfloat16");
  check(!config.bf16_stochastic_round || type == at::kBFloat16,
        ErrorCode::kConfig,
        "optimizer.bf16_stochastic_round: the weights are kept in ",
        type,
        ", there is nothing to round; leave it out or use model.torch_dtype bfloat16 without master weights");
}

/// Updates one range; `update` says what is the same for all of its calls.
void run(const Algorithm& algorithm,
         const config::OptimizerConfig& config,
         const Range& range,
         std::span<const Optimizer::State> states,
         Update update) {
  const at::Tensor& weights = range.unit->main_weights();
  const at::Tensor& grads = range.unit->main_grads();
  update.type = element_of(weights.scalar_type());
  update.grad_type = element_of(grads.scalar_type());
  ensure(update.grad_type == Element::kFloat32 ||
             (update.type == Element::kBFloat16 && algorithm.rounds_gradients(config)),
         range.unit->name(),
         ": this optimizer does not take gradients in ",
         grads.scalar_type());
  const auto call = [&](int64_t begin, int64_t numel) {
    update.weights = address(weights, begin);
    update.grads = address(grads, begin);
    update.states.clear();
    for (const Optimizer::State& state : states)
      update.states.push_back(address(state.values, begin - range.begin));
    update.numel = numel;
    algorithm.step(config, update);
  };
  if (!algorithm.by_parameter(config)) return call(range.begin, range.numel);
  for (size_t i = range.first_parameter; i < range.first_parameter + range.num_parameters; ++i) {
    const tensor::Parameter& parameter = range.unit->parameters()[i];
    update.parameter = parameter.name;
    call(parameter.offset, parameter.numel);
  }
}

}  // namespace

Optimizer::Optimizer(const config::OptimizerConfig& config,
                     std::vector<tensor::FlatParameter*> units,
                     uint64_t seed)
    : Optimizer({ParamGroup{config}}, [](const tensor::Parameter&) { return 0; }, std::move(units), seed) {}

Optimizer::Optimizer(std::vector<ParamGroup> groups,
                     const GroupOf& group_of,
                     std::vector<tensor::FlatParameter*> units,
                     uint64_t seed)
    : groups_(std::move(groups)), seed_(seed) {
  for (tensor::FlatParameter* unit : units) {
    if (unit->trainable()) units_.push_back(unit);
  }
  ranges_ = ranges_of(units_, group_of);
  for (const Range& range : ranges_) {
    const config::OptimizerConfig& config = groups_.at(range.group).config;
    check_type(*range.unit, config);
    for (const std::string& kind : algorithm_of(config.kind).states(config))
      state_.push_back({kind, range, tensor::zeros(range.numel, range.unit->main_weights().options())});
  }
}

void Optimizer::step(double lr, double weight_decay, const at::Tensor& clip) {
  ++num_steps_;
  Update update;
  update.step = num_steps_;
  update.seed = seed_;
  if (clip.is_cpu()) {
    update.grad_scale = clip.item<float>();
    if (!std::isfinite(update.grad_scale)) return;
  } else {
    update.clip = clip.const_data_ptr<float>();
  }
  std::span<const State> left = state_;
  for (const Range& range : ranges_) {
    const ParamGroup& group = groups_[range.group];
    const Algorithm& algorithm = algorithm_of(group.config.kind);
    update.lr = lr * group.lr_scale;
    update.weight_decay = weight_decay * group.weight_decay_scale;
    const size_t num_states = algorithm.states(group.config).size();
    run(algorithm, group.config, range, left.first(num_states), update);
    left = left.subspan(num_states);
  }
  for (tensor::FlatParameter* unit : units_) unit->main_changed();
}

}  // namespace automodel::optim
