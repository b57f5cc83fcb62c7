#include "core/families/family_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "core/base/error.h"
#include "core/base/strings.h"
#include "core/config/text/yaml_reader.h"
#include "core/families/fields.h"
#include "core/families/readers.h"
#include "core/weights/roles.h"

namespace automodel::families {
namespace {

/// Words of family files that have the name of config.json's key now.
constexpr std::array kRenamed = {std::pair{"experts_per_token", "num_experts_per_tok"},
                                 std::pair{"expert_size", "moe_intermediate_size"},
                                 std::pair{"shared_expert_size", "shared_expert_intermediate_size"},
                                 std::pair{"router_groups", "n_group"},
                                 std::pair{"router_top_groups", "topk_group"},
                                 std::pair{"router_normalize", "norm_topk_prob"},
                                 std::pair{"router_correction", "router_score_bias"},
                                 std::pair{"expert_weighs_input", "apply_router_weight_on_input"},
                                 std::pair{"latent_q_rank", "q_lora_rank"},
                                 std::pair{"latent_kv_rank", "kv_lora_rank"},
                                 std::pair{"latent_nope_dim", "qk_nope_head_dim"},
                                 std::pair{"latent_rope_dim", "qk_rope_head_dim"},
                                 std::pair{"latent_v_dim", "v_head_dim"},
                                 std::pair{"moe.correction", "moe.score_bias"}};

using nlohmann::json;

/// A node of a family file and what messages call the file.
struct Place {
  YAML::Node node;
  std::string origin;

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorCode::kConfig, origin, ":", node.Mark().line + 1, ": ", parts...);
  }

  Place at(const YAML::Node& child) const { return {child, origin}; }

  std::string text() const {
    if (!node.IsScalar()) refuse("expected a word");
    return node.Scalar();
  }

  std::vector<std::string> texts() const {
    if (!node.IsSequence()) refuse("expected a list");
    std::vector<std::string> values;
    for (const YAML::Node& child : node) values.push_back(at(child).text());
    return values;
  }

  /// Calls visit(key, place of the value) for each entry of a map; a key that stands twice is refused.
  template <class Visit>
  void each(const Visit& visit) const {
    if (!node.IsMap()) refuse("expected a map");
    std::vector<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = at(entry.first).text();
      if (std::ranges::count(seen, key) > 0) at(entry.first).refuse("\"", key, "\" stands twice");
      seen.push_back(key);
      visit(key, at(entry.second));
    }
  }

  [[noreturn]] void unknown(const std::string& what,
                            const std::string& word,
                            const std::vector<std::string>& known) const {
    for (const auto& [before, now] : kRenamed) {
      if (word == before) refuse(what, " \"", word, "\" is called \"", now, "\" now");
    }
    const std::string nearest = nearest_name(word, known);
    refuse("unknown ",
           what,
           " \"",
           word,
           "\"; ",
           nearest.empty() ? "known: " + join(known, ", ") : "did you mean \"" + nearest + "\"?");
  }
};

/// A plain scalar as YAML's JSON schema reads it; quoted text stays text.
json to_json(const Place& place) {
  const YAML::Node& node = place.node;
  if (node.IsNull()) return nullptr;
  if (node.IsSequence()) {
    json list = json::array();
    for (const YAML::Node& child : node) list.push_back(to_json(place.at(child)));
    return list;
  }
  if (node.IsMap()) {
    json object = json::object();
    place.each([&](const std::string& key, const Place& value) { object[key] = to_json(value); });
    return object;
  }
  if (node.Tag() == "!") return node.Scalar();
  const json parsed = json::parse(node.Scalar(), nullptr, /*allow_exceptions=*/false);
  return parsed.is_boolean() || parsed.is_number() ? parsed : json(node.Scalar());
}

FieldSource parse_source(const Place& place) {
  FieldSource source;
  place.each([&](const std::string& key, const Place& value) {
    if (key == "key") {
      source.key = value.text();
    } else if (key == "value") {
      source.value = to_json(value).dump();
    } else if (key == "default") {
      source.fallback = to_json(value).dump();
    } else if (key == "if_null") {
      source.if_null = std::make_shared<FieldSource>(parse_source(value));
    } else if (key == "values") {
      value.each(
          [&](const std::string& word, const Place& ours) { source.values[word] = to_json(ours).dump(); });
    } else {
      value.unknown("entry", key, {"key", "value", "default", "if_null", "values"});
    }
  });
  if (source.key.empty() == !source.value.has_value()) place.refuse("expected either `key` or `value`");
  return source;
}

/// Refuses what no config.json could make right: each value that the file itself gives must suit the field.
void try_values(const Field& field, const FieldSource& source, const Place& place) {
  Draft draft;
  draft.config.vocab_size = std::numeric_limits<int32_t>::max();  // for ids of tokens
  const auto try_one = [&](const char* what, const json& value) {
    try {
      field.set(draft, value, what);
    } catch (const Error& error) {
      place.refuse(field.name, ": ", error.what());
    }
  };
  if (source.value) try_one("value", json::parse(*source.value));
  for (const auto& [word, ours] : source.values) try_one("values", json::parse(ours));
  if (source.if_null) try_values(field, *source.if_null, place);
  if (!source.fallback) return;
  const json fallback = json::parse(*source.fallback);
  if (fallback.is_null() && source.if_null) return;
  if (source.values.empty()) return try_one("default", fallback);
  const std::string word = fallback.is_string() ? fallback.get<std::string>() : fallback.dump();
  if (!source.values.contains(word)) place.refuse(field.name, ": default ", word, " is none of `values`");
}

constexpr std::array kLayouts = {std::pair{"plain", arch::Layout::kPlain},
                                 std::pair{"transposed", arch::Layout::kTransposed},
                                 std::pair{"interleaved", arch::Layout::kInterleaved},
                                 std::pair{"row", arch::Layout::kRow},
                                 std::pair{"by_group", arch::Layout::kByGroup}};

arch::Layout parse_layout(const Place& place) {
  std::vector<std::string> known;
  for (const auto& [name, layout] : kLayouts) {
    if (place.text() == name) return layout;
    known.emplace_back(name);
  }
  place.unknown("layout", place.text(), known);
}

std::string layout_name(arch::Layout layout) {
  for (const auto& [name, value] : kLayouts) {
    if (value == layout) return name;
  }
  fail(ErrorCode::kInternal, "layout ", static_cast<int>(layout));
}

/// A module's name, or a map with its layout.
arch::WeightName parse_module(const Place& place) {
  if (place.node.IsScalar()) return {place.text()};
  arch::WeightName name;
  place.each([&](const std::string& key, const Place& value) {
    if (key == "module") {
      name.module = value.text();
    } else if (key == "layout") {
      name.layout = parse_layout(value);
    } else if (key == "bare") {
      if (value.text() != "true") value.refuse("expected true");
      name.bare = true;
    } else {
      value.unknown("entry of a module", key, {"module", "layout", "bare"});
    }
  });
  if (name.module.empty()) place.refuse("`module` is missing");
  return name;
}

void parse_layer(const Place& place, arch::WeightNames& weights) {
  weights.layer = place.text();
  if (weights.layer.find("{layer}") == std::string::npos)
    place.refuse("expected a name with {layer} in it, the layer's number");
}

void parse_weights(const Place& place, arch::WeightNames& weights) {
  place.each([&](const std::string& key, const Place& value) {
    if (key == "layer") {
      parse_layer(value, weights);
    } else if (key == "modules") {
      value.each([&](const std::string& role, const Place& module) {
        if (std::ranges::count(weights::role_names(), role) == 0)
          module.unknown("role", role, weights::role_names());
        weights.modules[role] = parse_module(module);
      });
    } else if (key == "prefix") {
      weights.prefix = value.text();
    } else if (key == "ignored") {
      weights.ignored = value.texts();
    } else if (key == "older") {
      value.each([&](const std::string& end, const Place& older) { weights.older[end] = older.text(); });
    } else {
      value.unknown("entry of weights", key, {"layer", "modules", "prefix", "ignored", "older"});
    }
  });
}

/// A map of keys to lists of their values.
void parse_values(const Place& place, std::map<std::string, std::vector<JsonText>>& values) {
  place.each([&](const std::string& key, const Place& value) {
    const json allowed = to_json(value);
    if (!allowed.is_array() || allowed.empty()) value.refuse("expected a list of the values that are right");
    for (const json& one : allowed) values[key].push_back(one.dump());
  });
}

std::string parse_checked_with(const Place& place) {
  const std::string text = place.text();
  const bool is_release = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
  if (!is_release && text != kRemoteCode)
    place.refuse("expected a release of transformers such as 5.23.0, or ", kRemoteCode);
  return text;
}

void parse_section(const std::string& section, const Place& place, Family& family) {
  if (section == "like") {
    family.like = place.text();
  } else if (section == "architectures") {
    family.architectures = place.texts();
  } else if (section == "model_types") {
    family.model_types = place.texts();
  } else if (section == "fields") {
    place.each([&](const std::string& name, const Place& value) {
      if (!find_field(name)) value.unknown("field", name, field_names());
      family.fields.emplace_back(name, parse_source(value));
      try_values(*find_field(name), family.fields.back().second, value);
    });
  } else if (section == "readers") {
    family.readers = place.texts();
    for (const std::string& name : family.readers) {
      if (!find_reader(name)) place.unknown("reader", name, reader_names());
    }
  } else if (section == "checked_with") {
    family.checked_with = parse_checked_with(place);
  } else if (section == "only") {
    parse_values(place, family.only);
  } else if (section == "unread") {
    parse_values(place, family.unread);
  } else if (section == "inert") {
    family.inert = place.texts();
  } else if (section == "weights") {
    parse_weights(place, family.weights);
  } else {
    place.unknown("section",
                  section,
                  {"like",
                   "architectures",
                   "model_types",
                   "checked_with",
                   "fields",
                   "readers",
                   "only",
                   "unread",
                   "inert",
                   "weights"});
  }
}

/// The base's list, then what the family adds.
std::vector<std::string> joined(std::vector<std::string> base, const std::vector<std::string>& added) {
  for (const std::string& name : added) {
    if (std::ranges::count(base, name) == 0) base.push_back(name);
  }
  return base;
}

void emit(YAML::Emitter& out, const json& value) {
  if (value.is_string()) {
    // Quoted where it would read back as something else.
    const auto text = value.get<std::string>();
    const json reread = json::parse(text, nullptr, false);
    if (reread.is_boolean() || reread.is_number()) out << YAML::DoubleQuoted;
    out << text;
  } else if (value.is_array()) {
    out << YAML::Flow << YAML::BeginSeq;
    for (const json& element : value) emit(out, element);
    out << YAML::EndSeq;
  } else if (value.is_object()) {
    out << YAML::Flow << YAML::BeginMap;
    for (const auto& [key, element] : value.items()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, element);
    }
    out << YAML::EndMap;
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();
  }
}

void emit(YAML::Emitter& out, const FieldSource& source) {
  out << YAML::Flow << YAML::BeginMap;
  if (!source.key.empty()) out << YAML::Key << "key" << YAML::Value << source.key;
  const auto entry = [&](const char* name, const json& value) {
    out << YAML::Key << name << YAML::Value;
    emit(out, value);
  };
  if (source.value) entry("value", json::parse(*source.value));
  if (source.fallback) entry("default", json::parse(*source.fallback));
  if (source.if_null) {
    out << YAML::Key << "if_null" << YAML::Value;
    emit(out, *source.if_null);
  }
  json words = json::object();
  for (const auto& [word, ours] : source.values) words[word] = json::parse(ours);
  if (!words.empty()) entry("values", words);
  out << YAML::EndMap;
}

void emit_list(YAML::Emitter& out, const char* name, const std::vector<std::string>& values) {
  out << YAML::Key << name << YAML::Value << YAML::Flow << values;
}

void emit_values(YAML::Emitter& out,
                 const char* name,
                 const std::map<std::string, std::vector<JsonText>>& values) {
  out << YAML::Key << name << YAML::Value << YAML::BeginMap;
  for (const auto& [key, allowed] : values) {
    out << YAML::Key << key << YAML::Value;
    json list = json::array();
    for (const JsonText& one : allowed) list.push_back(json::parse(one));
    emit(out, list);
  }
  out << YAML::EndMap;
}

void emit(YAML::Emitter& out, const arch::WeightNames& weights) {
  out << YAML::BeginMap << YAML::Key << "layer" << YAML::Value << weights.layer;
  if (!weights.prefix.empty()) out << YAML::Key << "prefix" << YAML::Value << weights.prefix;
  out << YAML::Key << "modules" << YAML::Value << YAML::BeginMap;
  for (const auto& [role, name] : weights.modules) {
    out << YAML::Key << role << YAML::Value;
    json module = name.module;
    if (name.layout != arch::Layout::kPlain || name.bare) module = {{"module", name.module}};
    if (name.layout != arch::Layout::kPlain) module["layout"] = layout_name(name.layout);
    if (name.bare) module["bare"] = true;
    emit(out, module);
  }
  out << YAML::EndMap;
  emit_list(out, "ignored", weights.ignored);
  if (!weights.older.empty()) {
    out << YAML::Key << "older" << YAML::Value;
    emit(out, json(weights.older));
  }
  out << YAML::EndMap;
}

}  // namespace

Family parse_family(const std::string& yaml, const std::string& name, const std::string& origin) {
  Family family;
  family.name = name;
  family.origin = origin;
  const std::string shown = origin == "built in" ? "share/models/" + name + ".yaml" : origin;
  // Refuses what the reader below does not look at: invalid UTF-8, depth, anchors that hold themselves.
  config::parse_yaml(yaml, shown);
  try {
    const Place root{YAML::Load(yaml), shown};
    root.each([&](const std::string& section, const Place& place) { parse_section(section, place, family); });
    if (family.architectures.empty()) root.refuse("`architectures` is missing");
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::kConfig, shown, ":", error.mark.line + 1, ": not YAML: ", error.msg);
  }
  return family;
}

Family inherit(const Family& family, const Family& base) {
  Family whole = family;
  whole.fields = base.fields;
  for (const auto& [name, source] : family.fields) {
    const auto found = std::ranges::find(whole.fields, name, [](const auto& field) { return field.first; });
    if (found == whole.fields.end()) {
      whole.fields.emplace_back(name, source);
    } else {
      found->second = source;
    }
  }
  if (whole.readers.empty()) whole.readers = base.readers;
  // A key that this family reads or lists itself is no longer what its base says.
  const auto is_here = [&](const std::string& key) {
    return std::ranges::any_of(family.fields, [&](const auto& f) { return f.second.key == key; }) ||
           std::ranges::count(family.inert, key) > 0;
  };
  for (const auto& [key, allowed] : base.only) {
    if (!is_here(key) && !family.unread.contains(key)) whole.only.try_emplace(key, allowed);
  }
  for (const auto& [key, allowed] : base.unread) {
    if (!is_here(key) && !family.only.contains(key)) whole.unread.try_emplace(key, allowed);
  }
  if (whole.checked_with.empty()) whole.checked_with = base.checked_with;
  whole.inert = joined(base.inert, family.inert);
  whole.weights = base.weights;
  for (const auto& [role, name] : family.weights.modules) whole.weights.modules[role] = name;
  if (!family.weights.layer.empty()) whole.weights.layer = family.weights.layer;
  if (!family.weights.prefix.empty()) whole.weights.prefix = family.weights.prefix;
  for (const auto& [end, older] : family.weights.older) whole.weights.older[end] = older;
  whole.weights.ignored = joined(base.weights.ignored, family.weights.ignored);
  return whole;
}

std::string to_yaml(const Family& family) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  emit_list(out, "architectures", family.architectures);
  emit_list(out, "model_types", family.model_types);
  if (!family.checked_with.empty()) out << YAML::Key << "checked_with" << YAML::Value << family.checked_with;
  out << YAML::Key << "fields" << YAML::Value << YAML::BeginMap;
  for (const auto& [name, source] : family.fields) {
    out << YAML::Key << name << YAML::Value;
    emit(out, source);
  }
  out << YAML::EndMap;
  emit_list(out, "readers", family.readers);
  emit_values(out, "only", family.only);
  emit_values(out, "unread", family.unread);
  out << YAML::Key << "inert" << YAML::Value << family.inert;
  out << YAML::Key << "weights" << YAML::Value;
  emit(out, family.weights);
  out << YAML::EndMap;
  return std::string("# ") + family.name + " (" + family.origin + ")" +
         (family.like.empty() ? "" : ", with what it inherits from " + family.like) + "\n" + out.c_str() +
         "\n";
}

}  // namespace automodel::families
