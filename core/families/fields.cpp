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
#include "core/families/field_setters.h"

namespace automodel::families {

// Each in core/families/blocks.
std::vector<Field> attention_fields();
std::vector<Field> latent_attention_fields();
std::vector<Field> mamba2_fields();
std::vector<Field> delta_net_fields();
std::vector<Field> moe_fields();

namespace {

constexpr std::array kActivations = {std::pair{"silu", kernels::Activation::kSilu},
                                     std::pair{"gelu", kernels::Activation::kGelu},
                                     std::pair{"gelu_tanh", kernels::Activation::kGeluTanh},
                                     std::pair{"relu", kernels::Activation::kRelu},
                                     std::pair{"relu2", kernels::Activation::kRelu2},
                                     std::pair{"tanh", kernels::Activation::kTanh}};
constexpr std::array kPoolings = {std::pair{"first", arch::Pooling::kFirst},
                                  std::pair{"last", arch::Pooling::kLast},
                                  std::pair{"mean", arch::Pooling::kMean}};
constexpr std::array kLinearMixers = {std::pair{"mamba2", arch::MixerKind::kMamba2},
                                      std::pair{"delta_net", arch::MixerKind::kDeltaNet}};
constexpr std::array kConvActivations = {std::pair{"silu", true}, std::pair{"swish", true}};
constexpr std::array kResiduals = {std::pair{"pre_norm", arch::Residual::kPreNorm},
                                   std::pair{"sandwich", arch::Residual::kSandwich},
                                   std::pair{"output_norm", arch::Residual::kOutputNorm},
                                   std::pair{"post_ln", arch::Residual::kPostLn}};

constexpr std::array kMixers = {std::pair{"attention", arch::MixerKind::kAttention},
                                std::pair{"latent_attention", arch::MixerKind::kLatentAttention}};

/// A setting of every norm on the residual stream, the last one too.
template <class Set>
Setter every_norm(Set set) {
  return [=](Draft& d, const json& v, const std::string& w) {
    set(d.config.norm, v, w);
    set(d.layer.block.norm, v, w);
  };
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
      {"position_offset",
       "row of position 0 in the table of learned positions",
       size(OF(config.embedding.position_offset), 0)},
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
      {"head_transform_bias",
       "bias of the projection of head_transform",
       yes_or_no(OF(config.head.transform.bias))},
      {"head_transform_norm", "whether a norm follows it", yes_or_no(OF(head_transform_norm))},
      {"classifier_pooling",
       "first, last or mean: the vector of a row that is classified",
       one_of(OF(config.classifier.pooling), kPoolings)},
      {"classifier_bias",
       "bias of the classifier's projection to labels",
       yes_or_no(OF(config.classifier.bias))},
      {"classifier_transform",
       "none, or the activation behind a projection that stands before the classifier's",
       transform(OF(config.classifier.transform))},
      {"classifier_transform_bias",
       "bias of the projection of classifier_transform",
       yes_or_no(OF(config.classifier.transform.bias))},
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

void set_mlp_multipliers(Draft& d, const json& v, const std::string& w) {
  if (v.is_null()) return;
  const std::vector<double> numbers = as_numbers(v, w);
  check(numbers.size() == 2, ErrorCode::kFormat, w, ": expected a list of two numbers");
  d.layer.mlp.gate_multiplier = numbers[0];
  d.layer.mlp_multipliers.out = numbers[1];
}

/// Which block a layer has, and what it is multiplied by.
std::vector<Field> layer_fields() {
  return {
      {"mixer",
       "attention or latent_attention, in every layer",
       [](Draft& d, const json& v, const std::string& w) { d.layer.mixers = {as_enum(v, w, kMixers)}; }},
      {"linear_mixer",
       "mamba2 or delta_net: of layers called linear attention",
       one_of(OF(linear_mixer), kLinearMixers)},
      {"full_attention_interval",
       "each such layer has attention, the others the linear mixer, where no list says; 0: none has",
       size(OF(full_attention_interval), 0)},
      {"conv_activation",
       "of a mixer's convolution: silu",
       [](Draft&, const json& v, const std::string& w) { as_enum(v, w, kConvActivations); }},
      {"mlp_multipliers", "list of those of the MLP's gate and of what it adds", set_mlp_multipliers},
  };
}

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> kFields = [] {
    std::vector<Field> all = model_fields();
    for (const auto& part : {head_fields(),
                             block_fields(),
                             layer_fields(),
                             attention_fields(),
                             latent_attention_fields(),
                             mamba2_fields(),
                             delta_net_fields(),
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
