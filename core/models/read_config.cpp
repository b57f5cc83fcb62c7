#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/io/json.h"
#include "core/models/config_json.h"
#include "core/models/families.h"
#include "core/models/family.h"
#include "core/models/fields.h"
#include "core/models/readers.h"

namespace automodel::models {
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
  const std::vector<Family> families =
      family_file.empty() ? load_families(name) : std::vector<Family>{load_family_file(family_file)};
  for (const Family& family : families) {
    const std::vector<std::string> names = names_of(family);
    if (std::ranges::count(names, name) == 0) continue;
    // transformers goes by model_type, people read architectures: they must agree.
    check(model_type.empty() || std::ranges::count(family.model_types, model_type) > 0,
          ErrorCode::kUnsupported,
          config.where("model_type"),
          ": \"",
          model_type,
          "\" does not go with ",
          architecture,
          ", which is ",
          join(family.model_types, " or "));
    return family;
  }
  std::vector<std::string> known;
  for (const Family& family : family_file.empty() ? load_families() : families) {
    const std::vector<std::string> names = names_of(family);
    known.insert(known.end(), names.begin(), names.end());
  }
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

void check_heads(const DecoderConfig& decoder, const std::string& origin) {
  const AttentionConfig& attention = decoder.layers.front().attention;
  check(attention.num_heads % attention.num_kv_heads == 0,
        ErrorCode::kFormat,
        origin,
        ": num_attention_heads ",
        attention.num_heads,
        " is not a multiple of num_key_value_heads ",
        attention.num_kv_heads);
}

}  // namespace

DecoderConfig read_decoder_config(const std::string& config_json,
                                  const std::string& origin,
                                  const std::string& overrides_json,
                                  const std::string& family_file) {
  json merged = io::parse_json(config_json, origin);
  std::set<std::string> overridden;
  if (!overrides_json.empty()) {
    const json overrides = io::parse_json(overrides_json, "override");
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
  for (const std::string& key : family.inert) config.find(key);
  refuse_other_values(config, family);
  config.refuse_unknown();
  check_heads(draft.config, origin);
  return draft.config;
}

}  // namespace automodel::models
