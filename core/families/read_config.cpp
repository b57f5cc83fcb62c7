#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/families/as_enum.h"
#include "core/families/config_json.h"
#include "core/families/families.h"
#include "core/families/family.h"
#include "core/families/fields.h"
#include "core/families/readers.h"
#include "core/families/unknown_keys.h"
#include "core/io/json.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// architectures[0], or "" when the file names none.
std::string architecture_of(ConfigJson& config) {
  const json* value = config.find_value("architectures");
  if (!value || value->empty()) return "";
  check(value->is_array() && (*value)[0].is_string(),
        ErrorCode::kFormat,
        config.where("architectures"),
        ": expected a list of class names");
  return (*value)[0].get<std::string>();
}

std::string model_type_of(ConfigJson& config) {
  const json* value = config.find_value("model_type");
  return value ? as_string(*value, config.where("model_type")) : "";
}

/// How classes of transformers end, and what they compute.
constexpr std::array kClassEndings = {std::pair{"ForCausalLM", arch::Task::kNextToken},
                                      std::pair{"LMHeadModel", arch::Task::kNextToken},
                                      std::pair{"ForMaskedLM", arch::Task::kMaskedToken},
                                      std::pair{"ForSequenceClassification", arch::Task::kClassification},
                                      std::pair{"Model", arch::Task::kEmbedding}};

/// A class name without its ending, and the task that the ending names; whole and of the next token where the
/// ending is another.
std::pair<std::string, arch::Task> split_class(const std::string& name) {
  for (const auto& [ending, task] : kClassEndings) {
    if (name.ends_with(ending)) return {name.substr(0, name.size() - std::string_view(ending).size()), task};
  }
  return {name, arch::Task::kNextToken};
}

/// Whether a class is one of `names`, or has another head on the same layers.
bool is_of(const std::string& name, const std::vector<std::string>& names) {
  const std::string stem = split_class(name).first;
  return std::ranges::any_of(
      names, [&](const std::string& known) { return known == name || split_class(known).first == stem; });
}

[[noreturn]] void refuse_architecture(const std::string& where,
                                      const std::string& name,
                                      const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(name, known);
  fail(ErrorCode::kUnsupported,
       where,
       ": \"",
       name,
       "\" is not implemented; known: ",
       join(known, ", "),
       nearest.empty() ? "" : "; nearest: " + nearest,
       "; a family made of the same blocks needs only a text file (docs/model-families.md)");
}

Family family_for(ConfigJson& config, const std::string& family_file) {
  const std::string architecture = architecture_of(config);
  const std::string model_type = model_type_of(config);
  check(!architecture.empty() || !model_type.empty(),
        ErrorCode::kFormat,
        config.origin(),
        ": \"architectures\" and \"model_type\" are missing: nothing says what model this is");
  const bool by_class = !architecture.empty();
  const std::string& name = by_class ? architecture : model_type;
  const auto names_of = [&](const Family& family) {
    return by_class ? family.architectures : family.model_types;
  };
  const std::string word = by_class ? split_class(name).first : name;
  const std::vector<Family> families =
      family_file.empty() ? load_families(word) : std::vector<Family>{load_family_file(family_file)};
  std::vector<std::string> types;  // of the families that have the class
  for (const Family& family : families) {
    const std::vector<std::string> names = names_of(family);
    if (by_class ? !is_of(name, names) : std::ranges::count(names, name) == 0) continue;
    const std::vector<std::string>& own = family.model_types;
    if (model_type.empty() || own.empty() || std::ranges::count(own, model_type) > 0) return family;
    types.insert(types.end(), family.model_types.begin(), family.model_types.end());
  }
  // transformers goes by model_type, people read architectures: they must agree.
  check(types.empty(),
        ErrorCode::kUnsupported,
        config.where("model_type"),
        ": \"",
        model_type,
        "\" does not go with ",
        architecture,
        ", which is ",
        join(types, " or "));
  std::vector<std::string> known;
  for (const Family& family : family_file.empty() ? load_families() : families) {
    const std::vector<std::string> names = names_of(family);
    known.insert(known.end(), names.begin(), names.end());
  }
  std::ranges::sort(known);
  known.erase(std::ranges::unique(known).begin(), known.end());
  refuse_architecture(config.where(by_class ? "architectures" : "model_type"), name, known);
}

/// The value that a field's source gives, and what to call it.
std::pair<json, std::string> value_of(ConfigJson& config, const FieldSource& source) {
  if (source.value) return {json::parse(*source.value), config.origin()};
  const json* found = config.find(source.key);
  const std::string where = config.where(source.key);
  check(found || source.fallback, ErrorCode::kFormat, where, " is missing");
  json value = found ? *found : json::parse(*source.fallback);
  if (source.if_null && source.if_null->key.size() > 0) config.find(source.if_null->key);
  if (value.is_null() && source.if_null) return value_of(config, *source.if_null);
  if (!source.values.empty()) {
    const std::string word = value.is_string() ? value.get<std::string>() : value.dump();
    const auto mapped = source.values.find(word);
    if (mapped == source.values.end()) {
      std::vector<std::string> known;
      for (const auto& [name, ours] : source.values) known.push_back(name);
      fail(ErrorCode::kUnsupported, where, ": \"", word, "\" is not implemented; known: ", join(known, ", "));
    }
    value = json::parse(mapped->second);
  }
  return {value, where};
}

void refuse_other_values(ConfigJson& config, const Family& family) {
  for (const auto& [key, allowed] : family.only) {
    const json* value = config.find(key);
    const auto equals = [&](const JsonText& one) { return json::parse(one) == *value; };
    if (!value || std::ranges::any_of(allowed, equals)) continue;
    std::string text = value->dump();
    if (text.size() > 80) text = text.substr(0, 77) + "...";
    fail(ErrorCode::kUnsupported,
         config.where(key),
         ": ",
         text,
         " is not implemented for ",
         family.name,
         "; only ",
         join(allowed, " or "),
         " is");
  }
}

/// A key that the class does not read is known with the values that pass in silence.
void find_unread(ConfigJson& config, const Family& family) {
  for (const auto& [key, silent] : family.unread) {
    const json* value = config.peek(key);
    const auto equals = [&](const JsonText& one) { return json::parse(one) == *value; };
    if (value && std::ranges::any_of(silent, equals)) config.find(key);
  }
}

constexpr std::array kLabelKinds = {std::pair{"regression", arch::LabelKind::kNumbers},
                                    std::pair{"single_label_classification", arch::LabelKind::kClass},
                                    std::pair{"multi_label_classification", arch::LabelKind::kSeveral}};

void read_labels(ConfigJson& config, arch::ClassifierConfig& classifier) {
  const json* names = config.find_value("id2label");
  const json* number = config.find_value("num_labels");
  if (number) classifier.num_labels = as_int(*number, config.where("num_labels"), 1);
  if (names) {
    check(names->is_object() && !names->empty(),
          ErrorCode::kFormat,
          config.where("id2label"),
          ": expected an object of labels by their numbers");
    classifier.num_labels = static_cast<int64_t>(names->size());
  }
  const json* problem = config.find_value("problem_type");
  if (problem) {
    classifier.label_kind = as_enum(*problem, config.where("problem_type"), kLabelKinds);
    check(
        classifier.label_kind != arch::LabelKind::kClass || classifier.num_labels > 1,
        ErrorCode::kFormat,
        config.where("problem_type"),
        ": single_label_classification wants num_labels above 1; for two classes set it to 2, for a number set problem_type to regression");
  } else if (classifier.num_labels == 1) {
    classifier.label_kind = arch::LabelKind::kNumbers;
  }
  const json* padding = config.find_value("pad_token_id");
  if (padding) classifier.padding_id = as_int(*padding, config.where("pad_token_id"), -1);
}

/// Tensors of heads that the task leaves out are not read.
void ignore_other_heads(arch::DecoderConfig& decoder) {
  if (predicts_tokens(decoder)) return;
  std::vector<std::string> roles = {"head", "head.transform", "norm.head"};
  if (decoder.task == arch::Task::kEmbedding)
    roles.insert(roles.end(), {"classifier", "classifier.transform", "norm.classifier"});
  for (const std::string& role : roles) {
    const auto found = decoder.names.modules.find(role);
    if (found != decoder.names.modules.end()) decoder.names.ignored.push_back(found->second.module + ".**");
  }
}

/// What stands around the layers.
void read_task(ConfigJson& config, const arch::TaskRequest& request, Draft& draft) {
  arch::DecoderConfig& decoder = draft.config;
  const arch::NormConfig& norm = draft.layer.block.norm;
  if (draft.embed_norm) decoder.embedding.norm = norm;
  if (!draft.final_norm) decoder.norm.kind = kernels::NormKind::kNone;
  if (draft.head_transform_norm) decoder.head.transform.norm = norm;
  if (draft.classifier_transform_norm) decoder.classifier.transform.norm = norm;
  decoder.task = request.task.value_or(split_class(decoder.architecture).second);
  if (decoder.task == arch::Task::kClassification) read_labels(config, decoder.classifier);
  if (request.pooling) decoder.classifier.pooling = *request.pooling;
  ignore_other_heads(decoder);
  if (!request.bidirectional) return;
  for (arch::LayerConfig& layer : decoder.layers) {
    check(layer.mixers == std::vector{arch::MixerKind::kAttention},
          ErrorCode::kUnsupported,
          config.origin(),
          ": only a model whose layers are all attention can be made bidirectional");
    layer.attention.causal = false;
  }
}

void check_heads(const arch::DecoderConfig& decoder, const std::string& origin) {
  const arch::AttentionConfig& attention = decoder.layers.front().attention;
  check(attention.num_heads % attention.num_kv_heads == 0,
        ErrorCode::kFormat,
        origin,
        ": num_attention_heads ",
        attention.num_heads,
        " is not a multiple of num_key_value_heads ",
        attention.num_kv_heads);
}

/// Refuses a bias where nothing computes one.
void check_norms(const arch::DecoderConfig& decoder, const Family& family) {
  const auto check_norm = [&](const arch::NormConfig& norm, const char* fields) {
    check(!norm.bias || (norm.kind == kernels::NormKind::kLayer && norm.weight) ||
              norm.kind == kernels::NormKind::kNone,
          ErrorCode::kUnsupported,
          family.origin,
          ": ",
          fields,
          ": only a layer norm with a weight can have a bias; here it is ",
          norm.kind == kernels::NormKind::kLayer ? "a layer norm without a weight" : "an RMS norm");
  };
  check_norm(decoder.norm, "norm_kind and norm_bias");
  for (const arch::LayerConfig& layer : decoder.layers) {
    check_norm(layer.block.norm, "norm_kind and norm_bias");
    if (layer.attention.qk_norm != arch::QkNorm::kNone)
      check_norm(layer.attention.head_norm, "qk_norm_kind and qk_norm_bias");
  }
}

}  // namespace

arch::DecoderConfig read_decoder_config(const std::string& config_json,
                                        const std::string& origin,
                                        const std::string& overrides_json,
                                        const std::string& family_file,
                                        const arch::TaskRequest& request,
                                        const KeyRules& rules) {
  json merged = io::parse_json(io::with_tagged_infinities(config_json), origin);
  std::set<std::string> overridden;
  if (!overrides_json.empty()) {
    const json overrides = io::parse_json(io::with_tagged_infinities(overrides_json), "override");
    check(overrides.is_object() && merged.is_object(), ErrorCode::kFormat, origin, ": expected JSON objects");
    for (const auto& [key, value] : overrides.items()) {
      merged[key] = value;
      overridden.insert(key);
    }
  }
  ConfigJson config(merged, origin, overridden);
  const Family family = family_for(config, family_file);

  Draft draft;
  draft.config.architecture = architecture_of(config);
  if (draft.config.architecture.empty()) draft.config.architecture = family.architectures.at(0);
  draft.config.family = family.name;
  draft.config.names = family.weights;
  for (const auto& [name, source] : family.fields) {
    const auto [value, where] = value_of(config, source);
    find_field(name)->set(draft, value, where);
  }
  check(draft.num_layers > 0, ErrorCode::kConfig, family.origin, ": `fields` lacks num_layers");
  check(draft.layer.mlp.intermediate_size > 0 || std::ranges::count(family.readers, "mlp_size") > 0,
        ErrorCode::kFormat,
        origin,
        ": expected a width of the MLP above 0");
  draft.config.layers.assign(static_cast<size_t>(draft.num_layers), draft.layer);
  for (const std::string& name : family.readers) find_reader(name)->read(config, draft);
  read_task(config, request, draft);
  for (const std::string& key : family.inert) config.find(key);
  refuse_other_values(config, family);
  find_unread(config, family);
  std::vector<UnknownKey> unknown = config.unknown();
  for (UnknownKey& key : draft.unknown_keys) {
    key.overridden = config.overridden(split(key.path, '.').front());
    unknown.push_back(std::move(key));
  }
  judge_unknown_keys(config, unknown, family, rules);
  check_heads(draft.config, origin);
  check_norms(draft.config, family);
  return draft.config;
}

}  // namespace automodel::families
