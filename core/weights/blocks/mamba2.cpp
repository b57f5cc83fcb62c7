// Mamba-2: its module names, parameters and cost.
#include "core/weights/model_block.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

void add_mamba2(ParameterList& list, const arch::Mamba2Config& mamba2, int64_t hidden_size) {
  using Init = ParameterSpec::Init;
  list.conv("mamba2.conv", mamba2.conv_size(), mamba2.conv_kernel, mamba2.conv_bias);
  list.linear(
      "mamba2.in", mamba2.inner_size() + mamba2.conv_size() + mamba2.num_heads, hidden_size, mamba2.in_bias);
  if (mamba2.gate != kernels::GateOrder::kGateOnly)
    list.norm("mamba2.norm", {mamba2.inner_size()}, /*weight=*/true, /*bias=*/false);
  list.linear("mamba2.out",
              hidden_size,
              mamba2.inner_size(),
              mamba2.out_bias,
              mamba2.out_by_depth ? Init::kUniformByDepth : Init::kNormal);
  list.constant("mamba2.A_log", {mamba2.num_heads}, Init::kLogIndex);
  list.constant("mamba2.D", {mamba2.num_heads}, Init::kOnes);
  list.constant("mamba2.dt_bias", {mamba2.num_heads}, mamba2.first_steps ? Init::kTimeStep : Init::kOnes);
}

void add_parameters(ParameterList& list, const arch::LayerConfig& layer, const arch::DecoderConfig& config) {
  add_mamba2(list, layer.mamba2, config.hidden_size);
}

void add_cost(Cost& cost, const arch::LayerConfig& layer) {
  cost.flops += flops_of(2 * layer.mamba2.inner_size() * layer.mamba2.state_size);
}

std::string text(const arch::LayerConfig& /*layer*/) {
  return "Mamba-2";
}

}  // namespace

extern const ModelBlock kMamba2;

const ModelBlock kMamba2 = {
    .kind = arch::MixerKind::kMamba2,
    .roles =
        {
            {"mamba2.in", "projection to z, x, B, C and dt of a state space"},
            {"mamba2.conv", "convolution of a state space"},
            {"mamba2.norm", "norm of a state space's output"},
            {"mamba2.out", "output projection of a state space"},
            {"mamba2.A_log", "decays of a state space; a tensor of that name, no module"},
            {"mamba2.D", "skip connection of a state space; a tensor"},
            {"mamba2.dt_bias", "bias of the time steps; a tensor"},
        },
    .parts = {{"mamba2.", Part::kStateSpace}},
    .add_parameters = add_parameters,
    .add_cost = add_cost,
    .text = text,
};

}  // namespace automodel::weights
