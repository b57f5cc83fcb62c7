// Lion: core/kernels/lion.h.
#include "core/kernels/lion.h"

#include <ATen/Parallel.h>

#include "core/ops/cuda/cuda.h"
#include "core/optim/algorithm.h"

namespace automodel::optim {
namespace {

using config::OptimizerConfig;
using kernels::BF16;
using kernels::Element;

template <class T, class G>
void update_on_host(const Update& u, const kernels::LionArgs& args) {
  at::parallel_for(0, u.numel, kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels::lion(u.weights_at<T>(begin), u.grads_at<G>(begin), u.state_at<T>(0, begin), end - begin, args);
  });
}

void step(const OptimizerConfig& config, const Update& u) {
  const kernels::LionArgs args{.lr = u.lr,
                               .beta1 = config.beta1,
                               .beta2 = config.beta2,
                               .weight_decay = u.weight_decay,
                               .grad_scale = u.grad_scale};
  if (u.on_device()) {
    void* const stream = ops::cuda().current_stream();
    ops::cuda().lion(u.type, u.weights, u.grad_type, u.grads, u.states[0], u.numel, args, u.clip, stream);
  } else if (u.type == Element::kFloat32) {
    update_on_host<float, float>(u, args);
  } else if (u.grad_type == Element::kFloat32) {
    update_on_host<BF16, float>(u, args);
  } else {
    update_on_host<BF16, BF16>(u, args);
  }
}

}  // namespace

extern const Algorithm kLion;

const Algorithm kLion = {.kind = OptimizerConfig::Kind::kLion,
                         .states = [](const OptimizerConfig&) { return std::vector<std::string>{"exp_avg"}; },
                         .rounds_gradients = [](const OptimizerConfig&) { return true; },
                         .by_parameter = [](const OptimizerConfig&) { return false; },
                         .step = step};

}  // namespace automodel::optim
