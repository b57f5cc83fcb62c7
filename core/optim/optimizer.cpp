#include "core/optim/optimizer.h"

#include <cmath>

#include <ATen/Parallel.h>

#include "core/kernels/adamw.h"
#include "core/kernels/element.h"
#include "core/kernels/sgd.h"
#include "core/ops/cuda/cuda.h"
#include "core/tensor/host_memory.h"

namespace automodel::optim {
namespace {

using Kind = config::OptimizerConfig::Kind;

constexpr int64_t kElementsPerThread = 1 << 14;

std::vector<std::string> state_kinds(const config::OptimizerConfig& config) {
  if (config.kind != Kind::kSgd) return {"exp_avg", "exp_avg_sq"};
  if (config.momentum != 0) return {"momentum_buffer"};
  return {};
}

kernels::Element element_of(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat ? kernels::Element::kFloat32 : kernels::Element::kBFloat16;
}

template <class T>
T* data(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

/// One unit and its state buffers; those of other kinds of optimizer are undefined.
struct UnitState {
  const tensor::FlatParameter& unit;
  at::Tensor m, v;
  at::Tensor momentum_buffer;
};

void adamw_on_device(const UnitState& state, const kernels::AdamWArgs& args, const at::Tensor& clip) {
  const tensor::FlatParameter& unit = state.unit;
  const at::Tensor& grads = unit.main_grads();
  const int64_t n = unit.main_weights().numel();
  if (unit.main_weights().scalar_type() == at::kFloat) {
    ops::cuda().adamw_f32(data<float>(unit.main_weights()),
                          grads.const_data_ptr<float>(),
                          data<float>(state.m),
                          data<float>(state.v),
                          n,
                          args,
                          clip.const_data_ptr<float>(),
                          ops::cuda().current_stream());
  } else {
    ops::cuda().adamw_bf16(data<void>(unit.main_weights()),
                           element_of(grads),
                           grads.const_data_ptr(),
                           data<void>(state.m),
                           data<void>(state.v),
                           n,
                           args,
                           clip.const_data_ptr<float>(),
                           ops::cuda().current_stream());
  }
}

void adamw(const UnitState& state, kernels::AdamWArgs args, const at::Tensor& clip) {
  const tensor::FlatParameter& unit = state.unit;
  if (unit.main_weights().is_cuda()) return adamw_on_device(state, args, clip);
  args.grad_scale = clip.item<float>();
  const at::Tensor& grads = unit.main_grads();
  at::parallel_for(0, unit.main_weights().numel(), kElementsPerThread, [&](int64_t begin, int64_t end) {
    if (unit.main_weights().scalar_type() == at::kFloat) {
      kernels::adamw_f32(data<float>(unit.main_weights()) + begin,
                         grads.const_data_ptr<float>() + begin,
                         data<float>(state.m) + begin,
                         data<float>(state.v) + begin,
                         end - begin,
                         args);
    } else {
      const auto update = [&]<class G>(const G* grad) {
        kernels::adamw_bf16(data<uint16_t>(unit.main_weights()) + begin,
                            grad + begin,
                            data<uint16_t>(state.m) + begin,
                            data<uint16_t>(state.v) + begin,
                            end - begin,
                            args);
      };
      if (grads.scalar_type() == at::kBFloat16) {
        update(static_cast<const kernels::BF16*>(grads.const_data_ptr()));
      } else {
        update(grads.const_data_ptr<float>());
      }
    }
  });
}

/// Where a parameter of bf16 begins in its unit's buffers.
struct ParameterState {
  uint16_t *p, *m, *v;
  const float* grad;
  int64_t numel;

  ParameterState(const UnitState& state, const tensor::Parameter& parameter)
      : p(data<uint16_t>(state.unit.main_weights()) + parameter.offset),
        m(data<uint16_t>(state.m) + parameter.offset),
        v(data<uint16_t>(state.v) + parameter.offset),
        grad(state.unit.main_grads().const_data_ptr<float>() + parameter.offset),
        numel(parameter.numel) {}
};

void round_on_device(const ParameterState& at,
                     const kernels::AdamWArgs& args,
                     const kernels::RoundingKey& key,
                     const at::Tensor& clip) {
  ops::cuda().adamw_bf16_stochastic(at.p,
                                    at.grad,
                                    at.m,
                                    at.v,
                                    at.numel,
                                    args,
                                    key,
                                    clip.const_data_ptr<float>(),
                                    ops::cuda().current_stream());
}

void round_on_host(const ParameterState& at,
                   const kernels::AdamWArgs& args,
                   const kernels::RoundingKey& key) {
  at::parallel_for(0, at.numel, kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels::RoundingKey part = key;
    part.first_element = begin;
    kernels::adamw_bf16_stochastic(
        at.p + begin, at.grad + begin, at.m + begin, at.v + begin, end - begin, args, part);
  });
}

/// One parameter after the other, each by draws of its own name.
void adamw_stochastic(const UnitState& state,
                      kernels::AdamWArgs args,
                      const at::Tensor& clip,
                      uint64_t seed) {
  const bool on_device = state.unit.main_weights().is_cuda();
  if (!on_device) args.grad_scale = clip.item<float>();
  for (const tensor::Parameter& parameter : state.unit.parameters()) {
    const ParameterState place(state, parameter);
    const kernels::RoundingKey key(seed, args.step, parameter.name);
    on_device ? round_on_device(place, args, key, clip) : round_on_host(place, args, key);
  }
}

void sgd(const UnitState& state, kernels::SgdArgs args, const at::Tensor& clip) {
  const tensor::FlatParameter& unit = state.unit;
  const at::Tensor& buffer = state.momentum_buffer;
  const float* grad = unit.main_grads().const_data_ptr<float>();
  const bool is_float = unit.main_weights().scalar_type() == at::kFloat;
  if (unit.main_weights().is_cuda()) {
    ops::cuda().sgd(element_of(unit.main_weights()),
                    data<void>(unit.main_weights()),
                    grad,
                    buffer.defined() ? data<void>(buffer) : nullptr,
                    unit.main_weights().numel(),
                    args,
                    clip.const_data_ptr<float>(),
                    ops::cuda().current_stream());
    return;
  }
  args.grad_scale = clip.item<float>();
  const auto update = [&]<class T>(T) {
    at::parallel_for(0, unit.main_weights().numel(), kElementsPerThread, [&](int64_t begin, int64_t end) {
      T* momentum = buffer.defined() ? data<T>(buffer) + begin : nullptr;
      kernels::sgd<T>(data<T>(unit.main_weights()) + begin, grad + begin, momentum, end - begin, args);
    });
  };
  is_float ? update(float{}) : update(kernels::BF16{});
}

}  // namespace

Optimizer::Optimizer(const config::OptimizerConfig& config,
                     std::vector<tensor::FlatParameter*> units,
                     uint64_t seed)
    : config_(config), seed_(seed) {
  for (tensor::FlatParameter* unit : units) {
    if (!unit->trainable()) continue;
    const at::ScalarType type = unit->main_weights().scalar_type();
    check(type == at::kFloat || type == at::kBFloat16,
          ErrorCode::kUnsupported,
          "training weights of type ",
          type,
          "; use model.torch_dtype float32 or bfloat16");
    check(
        !config.bf16_stochastic_round || type == at::kBFloat16,
        ErrorCode::kConfig,
        "optimizer.bf16_stochastic_round: the weights are kept in ",
        type,
        ", there is nothing to round; leave it out or use model.torch_dtype bfloat16 without master weights");
    units_.push_back(unit);
    for (const std::string& kind : state_kinds(config))
      state_.push_back(
          {kind, unit, tensor::zeros(unit->main_weights().numel(), unit->main_weights().options())});
  }
}

at::Tensor* Optimizer::find(const std::string& kind, const tensor::FlatParameter* unit) {
  for (State& state : state_) {
    if (state.kind == kind && state.unit == unit) return &state.values;
  }
  return nullptr;
}

void Optimizer::step(double lr, double weight_decay, const at::Tensor& clip) {
  ++num_steps_;
  if (clip.is_cpu() && !std::isfinite(clip.item<float>())) return;
  const auto state_of = [&](const char* kind, const tensor::FlatParameter* unit) {
    const at::Tensor* found = find(kind, unit);
    return found ? *found : at::Tensor();
  };
  for (tensor::FlatParameter* const unit : units_) {
    const UnitState state{
        *unit, state_of("exp_avg", unit), state_of("exp_avg_sq", unit), state_of("momentum_buffer", unit)};
    if (config_.kind == Kind::kSgd) {
      sgd(state, {lr, config_.momentum, weight_decay, config_.nesterov, num_steps_ == 1}, clip);
    } else {
      const kernels::AdamWArgs args{lr,
                                    config_.beta1,
                                    config_.beta2,
                                    config_.eps,
                                    weight_decay,
                                    config_.kind == Kind::kAdamW,
                                    num_steps_};
      config_.bf16_stochastic_round ? adamw_stochastic(state, args, clip, seed_) : adamw(state, args, clip);
    }
    unit->main_changed();
  }
}

}  // namespace automodel::optim
