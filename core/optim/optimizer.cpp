#include "core/optim/optimizer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/zeros_like.h>

#include "core/kernels/adamw.h"
#include "core/kernels/element.h"
#include "core/kernels/sgd.h"

namespace automodel::optim {
namespace {

using Kind = config::OptimizerConfig::Kind;

constexpr int64_t kElementsAThread = 1 << 14;

std::vector<std::string> state_kinds(const config::OptimizerConfig& config) {
  if (config.kind != Kind::kSgd) return {"exp_avg", "exp_avg_sq"};
  if (config.momentum != 0) return {"momentum_buffer"};
  return {};
}

template <class T>
T* data(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

void adamw_unit(const tensor::Unit& unit,
                const at::Tensor& m,
                const at::Tensor& v,
                const kernels::AdamWArgs& args) {
  const float* grad = unit.grads().const_data_ptr<float>();
  at::parallel_for(0, unit.home().numel(), kElementsAThread, [&](int64_t begin, int64_t end) {
    if (unit.home().scalar_type() == at::kFloat) {
      kernels::adamw_f32(data<float>(unit.home()) + begin,
                         grad + begin,
                         data<float>(m) + begin,
                         data<float>(v) + begin,
                         end - begin,
                         args);
    } else {
      kernels::adamw_bf16(data<uint16_t>(unit.home()) + begin,
                          grad + begin,
                          data<uint16_t>(m) + begin,
                          data<uint16_t>(v) + begin,
                          end - begin,
                          args);
    }
  });
}

template <class T>
void sgd_unit(const tensor::Unit& unit, const at::Tensor* buffer, const kernels::SgdArgs& args) {
  const float* grad = unit.grads().const_data_ptr<float>();
  at::parallel_for(0, unit.home().numel(), kElementsAThread, [&](int64_t begin, int64_t end) {
    kernels::sgd<T>(data<T>(unit.home()) + begin,
                    grad + begin,
                    buffer ? data<T>(*buffer) + begin : nullptr,
                    end - begin,
                    args);
  });
}

}  // namespace

Optimizer::Optimizer(const config::OptimizerConfig& config, std::vector<tensor::Unit*> units)
    : config_(config) {
  for (tensor::Unit* unit : units) {
    if (!unit->trainable()) continue;
    const at::ScalarType type = unit->home().scalar_type();
    check(type == at::kFloat || type == at::kBFloat16,
          ErrorCode::kUnsupported,
          "training weights of type ",
          type,
          "; use model.torch_dtype float32 or bfloat16");
    units_.push_back(unit);
    for (const std::string& kind : state_kinds(config))
      state_.push_back({kind, unit, at::zeros_like(unit->home())});
  }
}

at::Tensor* Optimizer::find(const std::string& kind, const tensor::Unit* unit) {
  for (State& state : state_) {
    if (state.kind == kind && state.unit == unit) return &state.values;
  }
  return nullptr;
}

void Optimizer::step(double lr, double weight_decay, float grad_scale) {
  ++num_steps_;
  for (tensor::Unit* unit : units_) {
    if (config_.kind == Kind::kSgd) {
      const kernels::SgdArgs args{
          lr, config_.momentum, weight_decay, config_.nesterov, num_steps_ == 1, grad_scale};
      const at::Tensor* buffer = find("momentum_buffer", unit);
      unit->home().scalar_type() == at::kFloat ? sgd_unit<float>(*unit, buffer, args)
                                               : sgd_unit<kernels::BF16>(*unit, buffer, args);
    } else {
      const kernels::AdamWArgs args{lr,
                                    config_.beta1,
                                    config_.beta2,
                                    config_.eps,
                                    weight_decay,
                                    config_.kind == Kind::kAdamW,
                                    num_steps_,
                                    grad_scale};
      adamw_unit(*unit, *find("exp_avg", unit), *find("exp_avg_sq", unit), args);
    }
    unit->home_changed();
  }
}

}  // namespace automodel::optim
