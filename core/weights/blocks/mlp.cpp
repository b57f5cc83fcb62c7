// The MLP: its module names, parameters and cost.
#include "core/weights/model_block.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

void add_mlp(ParameterList& list, const arch::MlpConfig& mlp, const arch::DecoderConfig& config) {
  const int64_t hidden_size = config.hidden_size;
  const int64_t width = mlp.intermediate_size;
  if (!mlp.gated) {
    list.linear("mlp.up", width, hidden_size, mlp.up_bias);
  } else if (list.has("mlp.gate_up")) {
    list.linear("mlp.gate_up", 2 * width, hidden_size, mlp.up_bias);
  } else {
    list.linear("mlp.gate", width, hidden_size, mlp.up_bias);
    list.linear("mlp.up", width, hidden_size, mlp.up_bias);
  }
  list.linear("mlp.down", hidden_size, width, mlp.down_bias, end_init(config));
}

void add_parameters(ParameterList& list, const arch::LayerConfig& layer, const arch::DecoderConfig& config) {
  add_mlp(list, layer.mlp, config);
}

}  // namespace

extern const ModelBlock kMlp;

const ModelBlock kMlp = {
    .kind = arch::FeedForwardKind::kMlp,
    .roles =
        {
            {"mlp.gate", "gate projection of a gated MLP"},
            {"mlp.up", "up projection; the first one of an MLP without a gate"},
            {"mlp.gate_up", "one projection for both, instead of them: gate rows, then up rows"},
            {"mlp.down", "down projection"},
        },
    .parts = {{"mlp.", Part::kMlp}},
    .add_parameters = add_parameters,
};

}  // namespace automodel::weights
