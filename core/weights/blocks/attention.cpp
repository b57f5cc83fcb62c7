// Attention: its module names, parameters and cost.
#include "core/base/error.h"
#include "core/weights/model_block.h"
#include "core/weights/parameter_list.h"

namespace automodel::weights {
namespace {

std::vector<int64_t> qk_norm_shape(const arch::AttentionConfig& attention, int64_t heads) {
  switch (attention.qk_norm) {
    case arch::QkNorm::kPerHeadWeights:
      return {heads, attention.head_dim};
    case arch::QkNorm::kWhole:
      return {heads * attention.head_dim};
    default:
      return {attention.head_dim};
  }
}

void add_attention(ParameterList& list,
                   const arch::AttentionConfig& attention,
                   const arch::DecoderConfig& config) {
  const int64_t hidden_size = config.hidden_size;
  const int64_t o_size = attention.num_heads * attention.head_dim;
  const int64_t q_size = (attention.output_gate ? 2 : 1) * o_size;
  const int64_t kv_size = attention.num_kv_heads * attention.head_dim;
  // transformers draws parameters of a module before those of modules inside it.
  if (attention.sinks) list.constant("attention.sinks", {attention.num_heads}, ParameterSpec::Init::kNormal);
  if (list.has("attention.qkv")) {
    list.fused(
        "attention.qkv", {q_size, kv_size, kv_size}, attention.num_kv_heads, hidden_size, attention.q_bias);
  } else {
    list.linear("attention.q", q_size, hidden_size, attention.q_bias);
    list.linear("attention.k", kv_size, hidden_size, attention.k_bias);
    list.linear("attention.v", kv_size, hidden_size, attention.v_bias);
  }
  list.linear("attention.o", hidden_size, o_size, attention.o_bias, end_init(config));
  if (attention.qk_norm == arch::QkNorm::kNone) return;
  const arch::NormConfig& norm = attention.head_norm;
  list.norm("attention.q_norm",
            qk_norm_shape(attention, attention.num_heads),
            norm.weight,
            norm.bias,
            norm.begins_at_zero());
  list.norm("attention.k_norm",
            qk_norm_shape(attention, attention.num_kv_heads),
            norm.weight,
            norm.bias,
            norm.begins_at_zero());
}

void add_parameters(ParameterList& list, const arch::LayerConfig& layer, const arch::DecoderConfig& config) {
  add_attention(list, layer.attention, config);
}

void add_cost(Cost& cost, const arch::LayerConfig& layer) {
  cost.flops_per_position += flops_of(layer.attention.num_heads * 2 * layer.attention.head_dim);
}

std::string text(const arch::LayerConfig& layer) {
  const int64_t window = layer.attention.sliding_window;
  return window == 0 ? "full" : detail::join("with a window of ", window);
}

}  // namespace

extern const ModelBlock kAttention;

const ModelBlock kAttention = {
    .kind = arch::MixerKind::kAttention,
    .roles =
        {
            {"attention.q", "query projection"},
            {"attention.k", "key projection"},
            {"attention.v", "value projection"},
            {"attention.qkv", "one projection for the three, instead of them"},
            {"attention.o", "output projection"},
            {"attention.q_norm", "norm of queries, where qk_norm asks for it"},
            {"attention.k_norm", "norm of keys"},
            {"attention.sinks",
             "a logit for each head that joins its softmax, where attention_sinks; a tensor, no module"},
        },
    .parts = {{"attention.", Part::kAttention}},
    .add_parameters = add_parameters,
    .add_cost = add_cost,
    .text = text,
};

}  // namespace automodel::weights
