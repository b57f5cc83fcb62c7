// Fields of attention, and of the rope that it shares with latent attention.
#include "core/families/field_setters.h"

namespace automodel::families {
namespace {

constexpr std::array kQkNorms = {std::pair{"none", arch::QkNorm::kNone},
                                 std::pair{"per_head", arch::QkNorm::kPerHead},
                                 std::pair{"per_head_weights", arch::QkNorm::kPerHeadWeights},
                                 std::pair{"whole", arch::QkNorm::kWhole}};

void set_window_layers(Draft& d, const json& v, const std::string& w) {
  d.window_letters.clear();
  if (!v.is_string()) {
    d.window_pattern = as_int(v, w, -1, kMaxSize);
    return;
  }
  d.window_letters = v.get<std::string>();
  check(!d.window_letters.empty() && d.window_letters.find_first_not_of("LG") == std::string::npos,
        ErrorCode::kFormat,
        w,
        ": expected a number, or letters L and G such as LLLG, found ",
        v.dump());
}

}  // namespace

std::vector<Field> attention_fields();

std::vector<Field> attention_fields() {
  return {
      {"num_heads", "query heads", size(OF(layer.attention.num_heads), 1)},
      {"num_kv_heads", "key and value heads; divides num_heads", size(OF(layer.attention.num_kv_heads), 1)},
      {"head_dim", "width of a head; 0: hidden_size / num_heads", size(OF(layer.attention.head_dim), 0)},
      {"q_bias", "bias of the query projection", yes_or_no(OF(layer.attention.q_bias))},
      {"k_bias", "bias of the key projection", yes_or_no(OF(layer.attention.k_bias))},
      {"v_bias", "bias of the value projection", yes_or_no(OF(layer.attention.v_bias))},
      {"qkv_bias",
       "biases of the query, key and value projections",
       [](Draft& d, const json& v, const std::string& w) {
         arch::AttentionConfig& attention = d.layer.attention;
         attention.q_bias = attention.k_bias = attention.v_bias = as_bool(v, w);
       }},
      {"o_bias", "bias of the output projection", yes_or_no(OF(layer.attention.o_bias))},
      {"qk_norm", "none, per_head, per_head_weights or whole", one_of(OF(layer.attention.qk_norm), kQkNorms)},
      {"qk_norm_kind", "rms or layer", one_of(OF(layer.attention.head_norm.kind), kNormKinds)},
      {"qk_norm_bias",
       "whether the norms of queries and keys have a bias",
       yes_or_no(OF(layer.attention.head_norm.bias))},
      {"qk_norm_offset",
       "added to the weight of the norms of queries and keys",
       number(OF(layer.attention.head_norm.weight_offset))},
      {"clip_qkv",
       "q, k and v are clamped to this distance from 0; 0: off",
       number(OF(layer.attention.clip_qkv))},
      {"attention_softcap",
       "scores become cap tanh(score / cap); 0: off",
       number(OF(layer.attention.softcap))},
      {"attention_scale", "of q.k; 0: 1 / sqrt(head_dim)", number(OF(layer.attention.scale))},
      {"sliding_window",
       "positions that a query sees, itself included, in every layer; 0: all",
       size(OF(layer.attention.sliding_window), 0)},
      {"rope_theta", "base of the rotary frequencies where config.json says none", number(OF(rope_theta))},
      {"rope_local_theta",
       "rope_theta of layers with a window, where they have a rope of their own",
       number(OF(rope_local_theta))},
      {"partial_rotary_factor",
       "share of a head's leading dims that rotate where the rope parameters say none",
       number(OF(partial_rotary_factor))},
      {"window_pattern",
       "layer i has the sliding window unless (i + 1) % this is 0; 0: no layer has, -1: all have",
       size(OF(window_pattern), -1)},
      {"window_layers",
       "window_pattern, or letters for layers: L has the sliding window, G has not; repeated, the last is G",
       set_window_layers},
      {"window_pattern_shift", "stands for the 1 in (i + 1)", size(OF(window_pattern_shift), 0)},
      {"causal", "a token sees those before it, not those behind it", yes_or_no(OF(layer.attention.causal))},
      {"rope_in_windows_only",
       "layers without a window do not rotate, where there is one at all",
       yes_or_no(OF(rope_in_windows_only))},
      {"attention_scale_dim",
       "q.k is scaled by 1 / sqrt of this",
       [](Draft& d, const json& v, const std::string& w) {
         const double dim = as_number(v, w);
         check(dim > 0, ErrorCode::kFormat, w, ": expected a number above 0");
         d.layer.attention.scale = 1.0 / std::sqrt(dim);
       }},
      {"attention_norm_after_rope",
       "the norms of q and k follow the rotation",
       yes_or_no(OF(layer.attention.norm_after_rope))},
      {"qk_norm_weight",
       "whether the norms of q and k have a weight",
       yes_or_no(OF(layer.attention.head_norm.weight))},
      {"attention_gate",
       "each head's query comes with a gate of its output",
       yes_or_no(OF(layer.attention.output_gate))},
      {"attention_sinks",
       "a learned key without a value in each head's softmax",
       yes_or_no(OF(layer.attention.sinks))},
      {"attention_chunk",
       "layers that rotate see keys with equal position / this; 0: all",
       size(OF(layer.attention.chunk), 0)},
      {"query_scale_beta",
       "queries grow with log(1 + floor((position + offset) / interval)) times this; 0: off",
       number(OF(layer.attention.query_scale.beta))},
      {"query_scale_interval",
       "positions after which the scale of queries grows a step",
       size(OF(layer.attention.query_scale.interval), 1)},
      {"query_scale_offset",
       "added to the position that the scale of queries follows",
       size(OF(layer.attention.query_scale.offset), 0)},
      {"attention_dropout", "of attention's probabilities, in training", share(OF(layer.attention.dropout))},
      {"rope_required", "config.json must have rope parameters", yes_or_no(OF(rope_required))},
      {"query_scale_in_rope",
       "query_scale_beta is llama_4_scaling_beta of the rope parameters, its interval the original length",
       yes_or_no(OF(query_scale_in_rope))},
      {"rope_interleaved", "neighbouring dims rotate together, not halves", yes_or_no(OF(rope_interleaved))},
      {"attention_in_multiplier", "of what attention reads", number(OF(layer.attention_multipliers.in))},
      {"attention_out_multiplier", "of what attention adds", number(OF(layer.attention_multipliers.out))},
  };
}

}  // namespace automodel::families
