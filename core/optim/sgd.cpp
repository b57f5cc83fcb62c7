// Stochastic gradient descent with momentum: core/kernels/sgd.h.
#include "core/kernels/sgd.h"

#include <ATen/Parallel.h>

#include "core/ops/cuda/cuda.h"
#include "core/optim/algorithm.h"

namespace automodel::optim {
namespace {

using config::OptimizerConfig;

template <class T>
void update_on_host(const Update& u, const kernels::SgdArgs& args) {
  at::parallel_for(0, u.numel, kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels::sgd<T>(
        u.weights_at<T>(begin), u.grads_at<float>(begin), u.state_at<T>(0, begin), end - begin, args);
  });
}

void step(const OptimizerConfig& config, const Update& u) {
  const kernels::SgdArgs args{.lr = u.lr,
                              .momentum = config.momentum,
                              .weight_decay = u.weight_decay,
                              .nesterov = config.nesterov,
                              .first_step = u.step == 1,
                              .grad_scale = u.grad_scale};
  if (u.on_device()) {
    ops::cuda().sgd(u.type,
                    u.weights,
                    u.grads_at<float>(0),
                    u.states.empty() ? nullptr : u.states[0],
                    u.numel,
                    args,
                    u.clip,
                    ops::cuda().current_stream());
  } else if (u.type == kernels::Element::kFloat32) {
    update_on_host<float>(u, args);
  } else {
    update_on_host<kernels::BF16>(u, args);
  }
}

}  // namespace

extern const Algorithm kSgd;

const Algorithm kSgd = {.kind = OptimizerConfig::Kind::kSgd,
                        .states =
                            [](const OptimizerConfig& config) {
                              using Names = std::vector<std::string>;
                              return config.momentum != 0 ? Names{"momentum_buffer"} : Names{};
                            },
                        .rounds_gradients = [](const OptimizerConfig&) { return false; },
                        .by_parameter = [](const OptimizerConfig&) { return false; },
                        .step = step};

}  // namespace automodel::optim
