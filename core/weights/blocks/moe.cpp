// Mixture of experts: its module names, parameters and cost.
#include "core/weights/model_block.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

void add_shared(ParameterList& list, const arch::MoeConfig& moe, int64_t hidden_size) {
  const int64_t width = moe.shared_intermediate_size;
  if (!moe.gate.gated) {
    list.linear("moe.shared.up", width, hidden_size, moe.shared_bias);
  } else if (list.has("moe.shared.gate_up")) {
    list.linear("moe.shared.gate_up", 2 * width, hidden_size, moe.shared_bias);
  } else {
    list.linear("moe.shared.gate", width, hidden_size, moe.shared_bias);
    list.linear("moe.shared.up", width, hidden_size, moe.shared_bias);
  }
  list.linear("moe.shared.down", hidden_size, width, moe.shared_bias);
  if (moe.shared_gate) list.linear("moe.shared_gate", 1, hidden_size, false);
}

void add_moe(ParameterList& list, const arch::MoeConfig& moe, int64_t hidden_size) {
  const kernels::RouterConfig& router = moe.router;
  const auto add_router = [&] {
    using Init = ParameterSpec::Init;
    list.linear("moe.router",
                router.num_experts,
                hidden_size,
                router.bias,
                Init::kNormal,
                /*bias_init=*/Init::kNormal);
  };
  if (!moe.router_last) add_router();
  list.experts("moe.experts", moe.latent_size > 0 ? moe.latent_size : hidden_size, moe);
  if (moe.router_last) add_router();
  if (router.score_bias) list.buffer("moe.score_bias", router.num_experts);
  if (moe.shared_intermediate_size > 0) add_shared(list, moe, hidden_size);
  if (moe.latent_size == 0) return;
  list.linear("moe.latent_in", moe.latent_size, hidden_size, moe.latent_bias);
  list.linear("moe.latent_out", hidden_size, moe.latent_size, moe.latent_bias);
}

void add_parameters(ParameterList& list, const arch::LayerConfig& layer, const arch::DecoderConfig& config) {
  add_moe(list, layer.moe, config.hidden_size);
}

}  // namespace

extern const ModelBlock kMoe;

const ModelBlock kMoe = {
    .kind = arch::FeedForwardKind::kMoe,
    .roles =
        {
            {"moe.router", "projection to a logit an expert"},
            {"moe.score_bias", "the vector that moves the choice of experts, under its full name"},
            {"moe.experts.gate", "gate projections of the experts"},
            {"moe.experts.up", "up projections of the experts; the first ones of experts without a gate"},
            {"moe.experts.gate_up", "both in one tensor of all experts, instead of them"},
            {"moe.experts.down", "down projections of the experts"},
            {"moe.latent_in", "projection to the width of the experts, where expert_latent_size"},
            {"moe.latent_out", "projection back from the width of the experts"},
            {"moe.shared.gate", "gate projection of the shared experts"},
            {"moe.shared.up", "up projection of the shared experts"},
            {"moe.shared.gate_up", "gate and up of the shared experts in one projection, instead of them"},
            {"moe.shared.down", "down projection of the shared experts"},
            {"moe.shared_gate", "projection to the sigmoid that multiplies the shared experts' output"},
        },
    .parts = {{"moe.experts.", Part::kExperts},
              {"moe.latent", Part::kExperts},
              {"moe.shared.", Part::kSharedExperts},
              {"moe.", Part::kRouter}},
    .add_parameters = add_parameters,
};

}  // namespace automodel::weights
