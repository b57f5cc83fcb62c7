#include "core/families/fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/families/as_enum.h"
#include "core/families/config_json.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// Sizes are bounded so that no product of a few of them overflows.
constexpr int64_t kMaxSize = int64_t{1} << 31;
constexpr int64_t kMaxLayers = 10'000;

constexpr std::array kActivations = {std::pair{"silu", kernels::Activation::kSilu},
                                     std::pair{"gelu", kernels::Activation::kGelu},
                                     std::pair{"gelu_tanh", kernels::Activation::kGeluTanh},
                                     std::pair{"relu", kernels::Activation::kRelu},
                                     std::pair{"relu2", kernels::Activation::kRelu2},
                                     std::pair{"tanh", kernels::Activation::kTanh}};
constexpr std::array kPoolings = {std::pair{"first", arch::Pooling::kFirst},
                                  std::pair{"last", arch::Pooling::kLast},
                                  std::pair{"mean", arch::Pooling::kMean}};
constexpr std::array kQkNorms = {std::pair{"none", arch::QkNorm::kNone},
                                 std::pair{"per_head", arch::QkNorm::kPerHead},
                                 std::pair{"per_head_weights", arch::QkNorm::kPerHeadWeights},
                                 std::pair{"whole", arch::QkNorm::kWhole}};
constexpr std::array kNormKinds = {std::pair{"none", kernels::NormKind::kNone},
                                   std::pair{"rms", kernels::NormKind::kRms},
                                   std::pair{"layer", kernels::NormKind::kLayer}};
constexpr std::array kLinearMixers = {std::pair{"mamba2", arch::MixerKind::kMamba2},
                                      std::pair{"delta_net", arch::MixerKind::kDeltaNet}};
constexpr std::array kConvActivations = {std::pair{"silu", true}, std::pair{"swish", true}};
constexpr std::array kResiduals = {std::pair{"pre_norm", arch::Residual::kPreNorm},
                                   std::pair{"sandwich", arch::Residual::kSandwich},
                                   std::pair{"output_norm", arch::Residual::kOutputNorm},
                                   std::pair{"post_ln", arch::Residual::kPostLn}};

constexpr std::array kRouterScores = {std::pair{"softmax", kernels::RouterScore::kSoftmax},
                                      std::pair{"softmax_of_chosen", kernels::RouterScore::kSoftmaxOfChosen},
                                      std::pair{"sigmoid", kernels::RouterScore::kSigmoid}};
constexpr std::array kGroupScores = {std::pair{"best", kernels::GroupScore::kBest},
                                     std::pair{"best_two", kernels::GroupScore::kBestTwo}};
constexpr std::array kMixers = {std::pair{"attention", arch::MixerKind::kAttention},
                                std::pair{"latent_attention", arch::MixerKind::kLatentAttention}};

using Setter = std::function<void(Draft&, const json&, const std::string&)>;

// Setters of one member: `of` gives it.
template <class Member>
Setter size(Member of, int64_t min, int64_t max = kMaxSize) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_int(v, w, min, max); };
}

template <class Member>
Setter number(Member of) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_number(v, w); };
}

/// In [0, 1).
template <class Member>
Setter share(Member of) {
  return [=](Draft& d, const json& v, const std::string& w) {
    const double value = v.is_null() ? 0 : as_number(v, w);
    check(value >= 0 && value < 1, ErrorCode::kFormat, w, ": expected a number from 0, below 1");
    of(d) = value;
  };
}

template <class Member>
Setter yes_or_no(Member of) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_bool(v, w); };
}

template <class Member, class Names>
Setter one_of(Member of, const Names& names) {
  return [=](Draft& d, const json& v, const std::string& w) { of(d) = as_enum(v, w, names); };
}

/// A setting of every norm on the residual stream, the last one too.
template <class Set>
Setter every_norm(Set set) {
  return [=](Draft& d, const json& v, const std::string& w) {
    set(d.config.norm, v, w);
    set(d.layer.block.norm, v, w);
  };
}

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

void set_pad_token(Draft& d, const json& v, const std::string& w) {
  if (v.is_null()) return;
  const int64_t id = as_int(v, w, -d.config.vocab_size, d.config.vocab_size - 1);
  d.config.embedding.pad_token_id = id < 0 ? id + d.config.vocab_size : id;
}

/// Keys of quantization_config, with the only value that is read where another would change the weights.
/// Which modules are quantised is seen in the files.
void check_quantization_keys(const json& object, const std::string& where, Draft& draft) {
  static const std::map<std::string, const char*> kKeys = {{"quant_method", nullptr},
                                                           {"weight_block_size", nullptr},
                                                           {"modules_to_not_convert", nullptr},
                                                           {"modules_to_convert", nullptr},
                                                           {"ignored_layers", nullptr},
                                                           {"dequantize", nullptr},
                                                           {"scale_fmt", nullptr},
                                                           {"fmt", nullptr},  // the files say it
                                                           {"activation_scheme", "dynamic"},
                                                           {"expert_dtype", "fp8"}};
  for (const auto& [key, value] : object.items()) {
    const auto known = kKeys.find(key);
    if (known == kKeys.end()) {
      draft.unknown_keys.push_back({"quantization_config." + key, "", value.is_null() || value == false});
      continue;
    }
    check(!known->second || value == known->second,
          ErrorCode::kUnsupported,
          where,
          ".",
          key,
          ": ",
          value.dump(),
          " is not implemented; known: ",
          known->second ? known->second : "");
  }
}

void set_quantization(Draft& d, const json& v, const std::string& w) {
  if (v.is_null()) return;
  check(v.is_object(), ErrorCode::kFormat, w, ": expected an object");
  using Kind = arch::QuantizationConfig::Kind;
  constexpr std::array kMethods = {std::pair{"fp8", Kind::kFp8Blocks}, std::pair{"mxfp4", Kind::kMxfp4}};
  arch::QuantizationConfig& quantization = d.config.quantization;
  quantization.kind = as_enum(v.value("quant_method", json()), w + ": quant_method", kMethods);
  check_quantization_keys(v, w, d);
  const auto block = v.find("weight_block_size");
  if (quantization.kind != Kind::kFp8Blocks || block == v.end()) return;
  const std::vector<double> sizes = as_numbers(*block, w + ": weight_block_size");
  check(sizes.size() == 2 && sizes[0] >= 1 && sizes[1] >= 1,
        ErrorCode::kFormat,
        w,
        ": weight_block_size: expected two numbers above 0");
  quantization.block_rows = static_cast<int64_t>(sizes[0]);
  quantization.block_columns = static_cast<int64_t>(sizes[1]);
}

#define OF(member) [](Draft& d) -> auto& { return d.member; }

std::vector<Field> model_fields() {
  return {
      {"vocab_size", "rows of the embedding", size(OF(config.vocab_size), 1)},
      {"hidden_size", "width of the residual stream", size(OF(config.hidden_size), 1)},
      {"num_layers", "number of blocks", size(OF(num_layers), 1, kMaxLayers)},
      {"max_position_embeddings",
       "longest sequence that the positions were made for",
       size(OF(config.max_position_embeddings), 1)},
      {"initializer_range",
       "standard deviation of weights drawn at random",
       number(OF(config.initializer_range))},
      {"residual_init_by_depth",
       "drawn at random, what ends attention and MLP has a deviation of initializer_range / sqrt(2 layers)",
       yes_or_no(OF(config.residual_init_by_depth))},
      {"quantization", "null, or quantization_config of fp8 blocks or mxfp4", set_quantization},
      {"pad_token_id",
       "padding row of the embedding, counted from the end when negative; null: none",
       set_pad_token},
      {"embed_scale", "multiplies the embedding's rows", number(OF(config.embedding.scale))},
      {"num_positions",
       "rows of a learned table of positions; 0: none",
       size(OF(config.embedding.num_positions), 0)},
      {"position_offset", "row of position 0 in that table", size(OF(config.embedding.position_offset), 0)},
      {"num_token_types",
       "rows of a table of token types; 0: none",
       size(OF(config.embedding.num_token_types), 0)},
      {"embed_norm", "whether the sum of the embeddings is normalised", yes_or_no(OF(embed_norm))},
      {"final_norm", "whether there is a norm before the head", yes_or_no(OF(final_norm))},
      {"embed_dropout", "of the embeddings, in training", share(OF(config.embedding.dropout))},
      {"tie_word_embeddings", "the head is the embedding", yes_or_no(OF(config.head.tied))},
      {"head_bias", "bias of the head", yes_or_no(OF(config.head.bias))},
      {"logit_scale", "multiplies the logits", number(OF(config.head.logit_scale))},
      {"logit_divisor",
       "divides the logits",
       [](Draft& d, const json& v, const std::string& w) {
         const double divisor = as_number(v, w);
         check(divisor != 0, ErrorCode::kFormat, w, ": expected a number other than 0");
         d.config.head.logit_scale = 1.0 / divisor;
       }},
      {"logit_softcap",
       "logits become cap tanh(logits / cap); 0: off",
       number(OF(config.head.logit_softcap))},
      {"normalised_head", "rows of the head have length one", yes_or_no(OF(config.head.normalised))},
  };
}

/// none, or an activation.
template <class Member>
Setter transform(Member of) {
  return [=](Draft& d, const json& v, const std::string& w) {
    if (v != "none") of(d).activation = as_enum(v, w, kActivations);
  };
}

std::vector<Field> head_fields() {
  return {
      {"head_transform",
       "none, or the activation behind a projection that stands before the head",
       transform(OF(config.head.transform))},
      {"head_transform_bias", "its bias", yes_or_no(OF(config.head.transform.bias))},
      {"head_transform_norm", "whether a norm follows it", yes_or_no(OF(head_transform_norm))},
      {"classifier_pooling",
       "first, last or mean: the vector of a row that is classified",
       one_of(OF(config.classifier.pooling), kPoolings)},
      {"classifier_bias", "bias of its projection to labels", yes_or_no(OF(config.classifier.bias))},
      {"classifier_transform",
       "none, or the activation behind a projection that stands before that",
       transform(OF(config.classifier.transform))},
      {"classifier_transform_bias", "its bias", yes_or_no(OF(config.classifier.transform.bias))},
      {"classifier_transform_norm", "whether a norm follows it", yes_or_no(OF(classifier_transform_norm))},
  };
}

std::vector<Field> block_fields() {
  return {
      {"norm_kind",
       "rms, layer or none, of every norm on the residual stream",
       every_norm([](arch::NormConfig& n, const json& v, const std::string& w) {
         n.kind = as_enum(v, w, kNormKinds);
       })},
      {"norm_eps",
       "added to the mean square or variance, of the norms of q and k too",
       [](Draft& d, const json& v, const std::string& w) {
         d.config.norm.eps = d.layer.block.norm.eps = d.layer.attention.head_norm.eps =
             d.layer.mamba2.norm_eps = d.layer.delta_net.norm_eps = as_number(v, w);
       }},
      {"norm_weight",
       "whether norms have a weight",
       every_norm(
           [](arch::NormConfig& n, const json& v, const std::string& w) { n.weight = as_bool(v, w); })},
      {"norm_bias",
       "whether norms have a bias",
       every_norm([](arch::NormConfig& n, const json& v, const std::string& w) { n.bias = as_bool(v, w); })},
      {"norm_offset",
       "added to a norm's weight: 1 where files hold the distance from one",
       every_norm([](arch::NormConfig& n, const json& v, const std::string& w) {
         n.weight_offset = as_number(v, w);
       })},
      {"norm_begins_at_one",
       "drawn at random, norms have weights of one whatever norm_offset is",
       every_norm([](arch::NormConfig& n, const json& v, const std::string& w) {
         n.begins_at_one = as_bool(v, w);
       })},
      {"residual",
       "pre_norm, sandwich, output_norm or post_ln",
       one_of(OF(layer.block.residual), kResiduals)},
      {"parallel", "mixer and MLP read the same input", yes_or_no(OF(layer.block.parallel))},
      {"shared_norm", "parallel: one norm before both", yes_or_no(OF(layer.block.shared_norm))},
      {"residual_multiplier",
       "of what a branch adds to the residual stream",
       number(OF(layer.block.multiplier))},
      {"residual_dropout", "of what a branch adds, in training", share(OF(layer.block.dropout))},
      {"intermediate_size", "width of the MLP; 0: 4 hidden_size", size(OF(layer.mlp.intermediate_size), 0)},
      {"activation",
       "silu, gelu, gelu_tanh, relu, relu2 or tanh; of experts too",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.mlp.activation = d.layer.moe.gate.activation = as_enum(v, w, kActivations);
       }},
      {"mlp_gated",
       "down(act(gate(x)) up(x)), else down(act(up(x))); of experts too",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.mlp.gated = d.layer.moe.gate.gated = as_bool(v, w);
       }},
      {"mlp_bias",
       "biases of gate, up and down",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.mlp.up_bias = d.layer.mlp.down_bias = as_bool(v, w);
       }},
  };
}

/// A number, or an infinity.
double as_limit(const json& value, const std::string& where) {
  const std::string infinity = infinity_in(value);
  if (infinity.empty()) return as_number(value, where);
  return (infinity[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
}

void set_dt_limit(Draft& d, const json& v, const std::string& w) {
  check(v.is_array() && v.size() == 2, ErrorCode::kFormat, w, ": expected a list of two numbers");
  d.layer.mamba2.dt_min = as_limit(v[0], w);
  d.layer.mamba2.dt_max = as_limit(v[1], w);
}

Setter first_step(double arch::FirstSteps::* of) {
  return [=](Draft& d, const json& v, const std::string& w) {
    auto& steps = d.layer.mamba2.first_steps;
    if (!steps) steps.emplace();
    (*steps).*of = as_number(v, w);
    check((*steps).*of > 0, ErrorCode::kFormat, w, ": expected a number above 0");
  };
}

void set_ssm_multipliers(Draft& d, const json& v, const std::string& w) {
  if (v.is_null()) return;
  const std::vector<double> numbers = as_numbers(v, w);
  auto& parts = d.layer.mamba2.part_multipliers;
  check(numbers.size() == parts.size(), ErrorCode::kFormat, w, ": expected a list of five numbers");
  std::copy(numbers.begin(), numbers.end(), parts.begin());
}

void set_mlp_multipliers(Draft& d, const json& v, const std::string& w) {
  if (v.is_null()) return;
  const std::vector<double> numbers = as_numbers(v, w);
  check(numbers.size() == 2, ErrorCode::kFormat, w, ": expected a list of two numbers");
  d.layer.mlp.gate_multiplier = numbers[0];
  d.layer.mlp_multipliers.out = numbers[1];
}

std::vector<Field> multiplier_fields() {
  return {
      {"attention_in_multiplier", "of what attention reads", number(OF(layer.attention_multipliers.in))},
      {"attention_out_multiplier", "of what attention adds", number(OF(layer.attention_multipliers.out))},
      {"ssm_in_multiplier", "of what a state space reads", number(OF(layer.mamba2_multipliers.in))},
      {"ssm_out_multiplier", "of what a state space adds", number(OF(layer.mamba2_multipliers.out))},
      {"ssm_multipliers", "list of those of z, x, B, C and dt in a state space", set_ssm_multipliers},
      {"mlp_multipliers", "list of those of the MLP's gate and of what it adds", set_mlp_multipliers},
  };
}

std::vector<Field> linear_mixer_fields() {
  return {
      {"linear_mixer",
       "mamba2 or delta_net: of layers called linear attention",
       one_of(OF(linear_mixer), kLinearMixers)},
      {"full_attention_interval",
       "each such layer has attention, the others the linear mixer, where no list says; 0: none has",
       size(OF(full_attention_interval), 0)},
      {"conv_activation",
       "of a mixer's convolution: silu",
       [](Draft&, const json& v, const std::string& w) { as_enum(v, w, kConvActivations); }},
      {"ssm_num_heads", "heads of a state space", size(OF(layer.mamba2.num_heads), 1)},
      {"ssm_head_dim",
       "width of its head; 0, null or auto: channels / heads",
       [](Draft& d, const json& v, const std::string& w) {
         const bool open = v.is_null() || (v.is_string() && v == "auto");
         d.layer.mamba2.head_dim = open ? 0 : as_int(v, w, 0, kMaxSize);
       }},
      {"ssm_inner_size", "its channels; 0: ssm_expand hidden_size", size(OF(ssm_inner_size), 0)},
      {"ssm_expand", "its channels over hidden_size; 0: as its heads say", number(OF(ssm_expand))},
      {"ssm_num_groups", "groups of its heads that share B and C", size(OF(layer.mamba2.num_groups), 1)},
      {"ssm_state_size", "width of its state", size(OF(layer.mamba2.state_size), 1)},
      {"ssm_conv_kernel", "taps of its convolution", size(OF(layer.mamba2.conv_kernel), 1, 64)},
      {"ssm_conv_bias", "bias of its convolution", yes_or_no(OF(layer.mamba2.conv_bias))},
      {"ssm_in_bias", "bias of its projection", yes_or_no(OF(layer.mamba2.in_bias))},
      {"ssm_out_bias", "bias of its output projection", yes_or_no(OF(layer.mamba2.out_bias))},
      {"ssm_dt_min", "its time steps are at least this", number(OF(layer.mamba2.dt_min))},
      {"ssm_first_step_min",
       "drawn at random, its time steps are log-uniform from this on; dt_bias begins at one without",
       first_step(&arch::FirstSteps::min)},
      {"ssm_first_step_max", "up to this", first_step(&arch::FirstSteps::max)},
      {"ssm_first_step_floor", "and at least this", first_step(&arch::FirstSteps::floor)},
      {"ssm_out_by_depth",
       "drawn at random, its output projection is uniform below 1 / sqrt(inputs x layers)",
       yes_or_no(OF(layer.mamba2.out_by_depth))},
      {"ssm_dt_limit", "list of the least and the greatest", set_dt_limit},
      {"ssm_norm",
       "whether its output is normalised, not gated alone",
       [](Draft& d, const json& v, const std::string& w) {
         if (!as_bool(v, w)) d.layer.mamba2.gate = kernels::GateOrder::kGateOnly;
       }},
      {"ssm_norm_before_gate",
       "its output is normalised, then gated; else the other way round",
       [](Draft& d, const json& v, const std::string& w) {
         if (as_bool(v, w) && d.layer.mamba2.gate != kernels::GateOrder::kGateOnly)
           d.layer.mamba2.gate = kernels::GateOrder::kNormFirst;
       }},
      {"delta_num_key_heads", "key heads of a DeltaNet", size(OF(layer.delta_net.num_key_heads), 1)},
      {"delta_num_value_heads",
       "its value heads, a multiple of the key heads",
       size(OF(layer.delta_net.num_value_heads), 1)},
      {"delta_key_head_dim", "width of its keys", size(OF(layer.delta_net.key_head_dim), 1)},
      {"delta_value_head_dim", "width of its values", size(OF(layer.delta_net.value_head_dim), 1)},
      {"delta_conv_kernel", "taps of its convolution", size(OF(layer.delta_net.conv_kernel), 1, 64)},
  };
}

std::vector<Field> attention_fields() {
  return {
      {"num_heads", "query heads", size(OF(layer.attention.num_heads), 1)},
      {"num_kv_heads", "key and value heads; divides num_heads", size(OF(layer.attention.num_kv_heads), 1)},
      {"head_dim", "width of a head; 0: hidden_size / num_heads", size(OF(layer.attention.head_dim), 0)},
      {"q_bias", "bias of the query projection", yes_or_no(OF(layer.attention.q_bias))},
      {"k_bias", "bias of the key projection", yes_or_no(OF(layer.attention.k_bias))},
      {"v_bias", "bias of the value projection", yes_or_no(OF(layer.attention.v_bias))},
      {"qkv_bias",
       "biases of the three",
       [](Draft& d, const json& v, const std::string& w) {
         arch::AttentionConfig& attention = d.layer.attention;
         attention.q_bias = attention.k_bias = attention.v_bias = as_bool(v, w);
       }},
      {"o_bias", "bias of the output projection", yes_or_no(OF(layer.attention.o_bias))},
      {"qk_norm", "none, per_head, per_head_weights or whole", one_of(OF(layer.attention.qk_norm), kQkNorms)},
      {"qk_norm_kind", "rms or layer", one_of(OF(layer.attention.head_norm.kind), kNormKinds)},
      {"qk_norm_bias", "whether those norms have a bias", yes_or_no(OF(layer.attention.head_norm.bias))},
      {"qk_norm_offset", "added to their weight", number(OF(layer.attention.head_norm.weight_offset))},
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
       "the same of layers with a window, where those have a rope of their own",
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
      {"query_scale_interval", "its interval", size(OF(layer.attention.query_scale.interval), 1)},
      {"query_scale_offset", "its offset", size(OF(layer.attention.query_scale.offset), 0)},
      {"attention_dropout", "of attention's probabilities, in training", share(OF(layer.attention.dropout))},
      {"rope_required", "config.json must have rope parameters", yes_or_no(OF(rope_required))},
      {"query_scale_in_rope",
       "query_scale_beta is llama_4_scaling_beta of the rope parameters, its interval the original length",
       yes_or_no(OF(query_scale_in_rope))},
      {"mixer",
       "attention or latent_attention, in every layer",
       [](Draft& d, const json& v, const std::string& w) { d.layer.mixers = {as_enum(v, w, kMixers)}; }},
      {"q_lora_rank", "of the latent of queries; 0: none", size(OF(layer.latent.q_lora_rank), 0)},
      {"kv_lora_rank", "of the latent of keys and values", size(OF(layer.latent.kv_lora_rank), 1)},
      {"qk_nope_head_dim",
       "dims of a head's key without position",
       size(OF(layer.latent.qk_nope_head_dim), 0)},
      {"qk_rope_head_dim",
       "dims of the key that heads share, which rotate; head_dim is the same",
       size(OF(layer.latent.qk_rope_head_dim), 2)},
      {"v_head_dim", "dims of a head's value", size(OF(layer.latent.v_head_dim), 1)},
      {"latent_bias",
       "bias of the projections to latents and of the output",
       yes_or_no(OF(layer.latent.bias))},
      {"latent_norm_eps", "of the latents' norms", number(OF(layer.latent.latent_norm.eps))},
      {"rope_interleaved", "neighbouring dims rotate together, not halves", yes_or_no(OF(rope_interleaved))},
  };
}

std::vector<Field> moe_fields() {
  constexpr int64_t kMaxExperts = 1 << 16;
  return {
      {"num_experts",
       "experts of a layer that has any",
       size(OF(layer.moe.router.num_experts), 1, kMaxExperts)},
      {"num_experts_per_tok",
       "experts that a token passes",
       size(OF(layer.moe.router.top_k), 0, kMaxExperts)},
      {"moe_intermediate_size", "width of one expert", size(OF(layer.moe.intermediate_size), 1)},
      {"router_score",
       "softmax, softmax_of_chosen or sigmoid",
       one_of(OF(layer.moe.router.score), kRouterScores)},
      {"norm_topk_prob",
       "weights of the chosen are divided by their sum",
       yes_or_no(OF(layer.moe.router.norm_topk_prob))},
      {"router_normalize_eps", "added to that sum", number(OF(layer.moe.router.normalize_eps))},
      {"router_normalize_min",
       "that sum counts as at least this",
       number(OF(layer.moe.router.normalize_min))},
      {"router_scale", "multiplies the weights", number(OF(layer.moe.router.scale))},
      {"n_group", "groups of neighbouring experts", size(OF(layer.moe.router.n_group), 1, kMaxExperts)},
      {"topk_group", "groups that take part", size(OF(layer.moe.router.topk_group), 1, kMaxExperts)},
      {"router_group_score", "best or best_two", one_of(OF(layer.moe.router.group_score), kGroupScores)},
      {"router_grouped", "false: groups take no part", yes_or_no(OF(router_grouped))},
      {"dense_layers",
       "leading layers without experts",
       [](Draft& d, const json& v, const std::string& w) { d.dense_layers = as_int(v, w, 0, kMaxLayers); }},
      {"router_bias", "bias of the router's projection", yes_or_no(OF(layer.moe.router.bias))},
      {"router_score_bias",
       "a vector moves the choice of experts",
       yes_or_no(OF(layer.moe.router.score_bias))},
      {"router_float32", "logits are formed in float32", yes_or_no(OF(layer.moe.router.float32))},
      {"router_last", "drawn at random after the experts", yes_or_no(OF(layer.moe.router_last))},
      {"router_update_rate",
       "what the vector moves by after a step, towards experts with less load; 0: it stays",
       number(OF(layer.moe.bias_update_rate))},
      {"router_aux_loss_coef",
       "of the load-balancing loss over all layers",
       number(OF(layer.moe.aux_loss_coef))},
      {"expert_bias", "biases of the experts", yes_or_no(OF(layer.moe.bias))},
      {"expert_gate_limit",
       "clamps gate and up of GPT-OSS's gate; 0: a plain gate",
       number(OF(layer.moe.gate.limit))},
      {"expert_gate_alpha", "sigmoid's gain in that gate", number(OF(layer.moe.gate.alpha))},
      {"apply_router_weight_on_input",
       "weights multiply the experts' inputs",
       yes_or_no(OF(layer.moe.apply_router_weight_on_input))},
      {"expert_latent_size",
       "width of what the experts read and give, between two projections; 0 or null: hidden_size",
       [](Draft& d, const json& v, const std::string& w) {
         d.layer.moe.latent_size = v.is_null() ? 0 : as_int(v, w, 1, kMaxSize);
       }},
      {"expert_latent_bias", "biases of those projections", yes_or_no(OF(layer.moe.latent_bias))},
      {"num_shared_experts", "experts that every token passes", size(OF(num_shared_experts), 0, kMaxExperts)},
      {"shared_expert_intermediate_size",
       "width of all shared experts together",
       size(OF(layer.moe.shared_intermediate_size), 0)},
      {"shared_expert_bias", "their biases", yes_or_no(OF(layer.moe.shared_bias))},
      {"shared_expert_gate", "their output has a sigmoid gate", yes_or_no(OF(layer.moe.shared_gate))},
  };
}

#undef OF

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> kFields = [] {
    std::vector<Field> all = model_fields();
    for (const auto& part : {head_fields(),
                             block_fields(),
                             attention_fields(),
                             linear_mixer_fields(),
                             multiplier_fields(),
                             moe_fields()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kFields;
}

const Field* find_field(const std::string& name) {
  for (const Field& field : fields()) {
    if (name == field.name) return &field;
  }
  return nullptr;
}

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const Field& field : fields()) names.emplace_back(field.name);
  return names;
}

}  // namespace automodel::families
