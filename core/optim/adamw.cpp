// Adam and AdamW, to the nearest bfloat16 or with stochastic rounding: core/kernels/adamw.h.
#include "core/kernels/adamw.h"

#include <ATen/Parallel.h>

#include "core/ops/cuda/cuda.h"
#include "core/optim/algorithm.h"

namespace automodel::optim {
namespace {

using config::OptimizerConfig;
using kernels::Element;

void update_on_device(const Update& u, const kernels::AdamWArgs& args) {
  void* const stream = ops::cuda().current_stream();
  if (u.type == Element::kFloat32) {
    ops::cuda().adamw_f32(u.weights_at<float>(0),
                          u.grads_at<float>(0),
                          u.state_at<float>(0, 0),
                          u.state_at<float>(1, 0),
                          u.numel,
                          args,
                          u.clip,
                          stream);
  } else {
    ops::cuda().adamw_bf16(
        u.weights, u.grad_type, u.grads, u.states[0], u.states[1], u.numel, args, u.clip, stream);
  }
}

void update_on_host(const Update& u, const kernels::AdamWArgs& args) {
  const auto update_bf16 = [&]<class G>(const G* grads, int64_t begin, int64_t end) {
    kernels::adamw_bf16(u.weights_at<uint16_t>(begin),
                        grads,
                        u.state_at<uint16_t>(0, begin),
                        u.state_at<uint16_t>(1, begin),
                        end - begin,
                        args);
  };
  at::parallel_for(0, u.numel, kElementsPerThread, [&](int64_t begin, int64_t end) {
    if (u.type == Element::kFloat32) {
      kernels::adamw_f32(u.weights_at<float>(begin),
                         u.grads_at<float>(begin),
                         u.state_at<float>(0, begin),
                         u.state_at<float>(1, begin),
                         end - begin,
                         args);
    } else if (u.grad_type == Element::kFloat32) {
      update_bf16(u.grads_at<float>(begin), begin, end);
    } else {
      update_bf16(u.grads_at<kernels::BF16>(begin), begin, end);
    }
  });
}

/// One parameter, by draws of its own name.
void update_stochastic(const Update& u, const kernels::AdamWArgs& args) {
  const kernels::RoundingKey key(u.seed, u.step, u.parameter);
  if (u.on_device()) {
    ops::cuda().adamw_bf16_stochastic(u.weights,
                                      u.grads_at<float>(0),
                                      u.states[0],
                                      u.states[1],
                                      u.numel,
                                      args,
                                      key,
                                      u.clip,
                                      ops::cuda().current_stream());
    return;
  }
  at::parallel_for(0, u.numel, kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels::RoundingKey part = key;
    part.first_element = begin;
    kernels::adamw_bf16_stochastic(u.weights_at<uint16_t>(begin),
                                   u.grads_at<float>(begin),
                                   u.state_at<uint16_t>(0, begin),
                                   u.state_at<uint16_t>(1, begin),
                                   end - begin,
                                   args,
                                   part);
  });
}

void step(const OptimizerConfig& config, const Update& u) {
  const kernels::AdamWArgs args{.lr = u.lr,
                                .beta1 = config.beta1,
                                .beta2 = config.beta2,
                                .eps = config.eps,
                                .weight_decay = u.weight_decay,
                                .decoupled = config.kind == OptimizerConfig::Kind::kAdamW,
                                .step = u.step,
                                .grad_scale = u.grad_scale};
  if (config.bf16_stochastic_round) return update_stochastic(u, args);
  u.on_device() ? update_on_device(u, args) : update_on_host(u, args);
}

constexpr Algorithm row(OptimizerConfig::Kind kind) {
  return {.kind = kind,
          .states = [](const OptimizerConfig&) { return std::vector<std::string>{"exp_avg", "exp_avg_sq"}; },
          .rounds_gradients = [](const OptimizerConfig& config) { return !config.bf16_stochastic_round; },
          .by_parameter = [](const OptimizerConfig& config) { return config.bf16_stochastic_round; },
          .step = step};
}

}  // namespace

extern const Algorithm kAdamW, kAdam;

const Algorithm kAdamW = row(OptimizerConfig::Kind::kAdamW);
const Algorithm kAdam = row(OptimizerConfig::Kind::kAdam);

}  // namespace automodel::optim
