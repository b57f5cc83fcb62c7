#include "core/train/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include <ATen/Parallel.h>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/models/unit_types.h"
#include "core/ops/attention/attention.h"
#include "core/optim/grad_norm.h"
#include "core/tensor/dtype.h"

namespace automodel::train {
namespace {

/// "5.08%".
std::string percentage(int64_t part, int64_t whole) {
  std::array<char, 16> text{};
  std::snprintf(
      text.data(), text.size(), "%.2f%%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text.data();
}

}  // namespace

void print_model(const Training& training) {
  const int64_t adapters = training.model.adapters ? training.model.adapters->num_parameters() : 0;
  const int64_t total = training.cost.parameters + adapters;
  const int64_t trainable = training.model.adapters ? adapters : total;
  double squares = 0;
  for (const tensor::FlatParameter* unit : training.units) {
    squares += optim::sum_of_squares(unit->main_weights()).item<double>();
  }
  log::info("Model summary: ",
            training.model.decoder.config.architecture,
            ", ",
            training.model.decoder.config.layers.size(),
            " layers, stored in ",
            torch_name(training.model.weights_dtype),
            ", computed in ",
            models::compute_types(training.model.decoder));
  const arch::LayerConfig& layer = training.model.decoder.config.layers.front();
  const bool latent = layer.mixers == std::vector{arch::MixerKind::kLatentAttention};
  const int64_t head_dim =
      latent ? std::max(layer.latent.qk_head_dim(), layer.latent.v_head_dim) : layer.attention.head_dim;
  const ops::AttentionOptions options{
      .softcap = layer.attention.softcap, .alibi = layer.attention.alibi, .dropout = layer.attention.dropout};
  log::info("Device: ",
            training.context.device.str(),
            ", attention: ",
            ops::name_of(ops::choose_attention(training.context.device,
                                               models::compute_type_of_layer(training.model.decoder, 0),
                                               head_dim,
                                               options)));
  log::info("Trainable parameters: ", with_thousands(trainable));
  log::info("Total parameters: ", with_thousands(total));
  log::info("Trainable parameters percentage: ", percentage(trainable, total));
  log::info("Param L2 norm: ", std::sqrt(squares));
}

void print_schedule(const StepSchedule& schedule, const config::StepSchedulerConfig& config) {
  const auto or_none = [](const std::optional<int64_t>& value) {
    return value ? std::to_string(*value) : "None";
  };
  log::info("Step scheduler:");
  log::info("- Gradient accumulation steps: ", schedule.grad_accum_steps());
  log::info("- Checkpoint every steps: ", or_none(config.ckpt_every_steps));
  log::info("- Number of epochs: ", schedule.num_epochs());
  log::info("- Validation every steps: ", or_none(config.val_every_steps));
  log::info("- Max train steps: ", schedule.total_steps());
  log::info("- Threads: ", at::get_num_threads());
}

}  // namespace automodel::train
