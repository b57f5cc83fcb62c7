#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/families/readers.h"
#include "core/families/rope.h"

namespace automodel::families {
namespace {

using nlohmann::json;

/// What each type reads beside rope_type and rope_theta; '!' marks what it cannot do without.
const std::map<std::string, std::vector<std::string>>& keys_of_types() {
  static const std::map<std::string, std::vector<std::string>> kKeys = {
      {"default", {}},
      {"linear", {"!factor"}},
      {"dynamic", {"!factor"}},
      {"yarn",
       {"!factor",
        "original_max_position_embeddings",
        "attention_factor",
        "beta_fast",
        "beta_slow",
        "mscale",
        "mscale_all_dim",
        "truncate"}},
      {"longrope",
       {"!short_factor", "!long_factor", "factor", "original_max_position_embeddings", "attention_factor"}},
      {"llama3", {"!factor", "!low_freq_factor", "!high_freq_factor", "original_max_position_embeddings"}},
  };
  return kKeys;
}

/// Collects keys of no type, warns of one of another type, and asks for what is missing.
void check_keys(ConfigJson& params, const std::string& type, const std::string& prefix, Draft& draft) {
  const auto& types = keys_of_types();
  const auto found = types.find(type);
  check(found != types.end(),
        ErrorCode::kUnsupported,
        params.where("rope_type"),
        ": \"",
        type,
        "\" is not implemented; known: default, linear, dynamic, yarn, longrope, llama3");
  for (const auto& [other, keys] : types) {
    for (const std::string& marked : keys) {
      const bool required = marked.starts_with("!");
      const std::string key = required ? marked.substr(1) : marked;
      const json* value = params.find(key);
      if (other == type) {
        check(!required || value,
              ErrorCode::kFormat,
              params.where(key),
              " is missing; rope_type ",
              type,
              " needs it");
        continue;
      }
      const bool used =
          std::ranges::any_of(found->second, [&](const auto& k) { return k == key || k == "!" + key; });
      if (value && !value->is_null() && !used) {
        log::warning(
            params.where(key), " has no effect with rope_type ", type, "; ignored, as transformers does");
      }
    }
  }
  if (draft.query_scale_in_rope) {
    params.find("llama_4_scaling_beta");
    params.find("max_position_embeddings");  // said twice
  }
  params.find("finetuned");  // a note of yarn's authors
  for (UnknownKey& key : params.unknown(prefix)) draft.unknown_keys.push_back(std::move(key));
}

std::optional<double> number(ConfigJson& params, const std::string& key) {
  const json* value = params.find_value(key);
  if (!value) return std::nullopt;
  return as_number(*value, params.where(key));
}

std::optional<double> positive(ConfigJson& params, const std::string& key) {
  const std::optional<double> value = number(params, key);
  check(!value || *value > 0, ErrorCode::kFormat, params.where(key), ": expected a number above 0");
  return value;
}

void read_scaling(ConfigJson& params, RopeSettings& settings) {
  settings.factor = positive(params, "factor");
  check(settings.factor || settings.rope_type == "default" || settings.rope_type == "yarn" ||
            settings.rope_type == "longrope",
        ErrorCode::kFormat,
        params.where("factor"),
        ": expected a number, found null");
  settings.attention_factor = positive(params, "attention_factor");
  settings.beta_fast = positive(params, "beta_fast");
  settings.beta_slow = positive(params, "beta_slow");
  settings.mscale = number(params, "mscale");
  settings.mscale_all_dim = number(params, "mscale_all_dim");
  if (const json* value = params.find_value("truncate"))
    settings.truncate = as_bool(*value, params.where("truncate"));
  settings.low_freq_factor = positive(params, "low_freq_factor").value_or(settings.low_freq_factor);
  settings.high_freq_factor = positive(params, "high_freq_factor").value_or(settings.high_freq_factor);
  check(settings.rope_type != "llama3" || settings.high_freq_factor > settings.low_freq_factor,
        ErrorCode::kFormat,
        params.where("high_freq_factor"),
        ": expected more than low_freq_factor");
  if (settings.rope_type != "longrope") return;
  for (const char* key : {"short_factor", "long_factor"}) {
    std::vector<double> factors = as_numbers(*params.find(key), params.where(key));
    check(static_cast<int64_t>(factors.size()) == settings.head_dim / 2,
          ErrorCode::kFormat,
          params.where(key),
          ": expected ",
          settings.head_dim / 2,
          " numbers (head_dim / 2), found ",
          factors.size());
    for (const double factor : factors) {
      check(factor > 0, ErrorCode::kFormat, params.where(key), ": expected numbers above 0");
    }
    (key[0] == 's' ? settings.short_factor : settings.long_factor) = std::move(factors);
  }
}

/// rope_parameters, or the older rope_scaling; an empty object when there is neither.
json parameters_of(ConfigJson& config) {
  const json* new_form = config.find_value("rope_parameters");
  const json* old_form = config.find_value("rope_scaling");
  if (new_form && new_form->empty()) new_form = nullptr;
  if (old_form && old_form->empty()) old_form = nullptr;
  check(!new_form || !old_form || *new_form == *old_form,
        ErrorCode::kFormat,
        config.where("rope_parameters"),
        " and \"rope_scaling\" (its name before transformers 5) differ; keep one");
  const json object = new_form ? *new_form : old_form ? *old_form : json::object();
  check(object.is_object(),
        ErrorCode::kFormat,
        config.where(new_form ? "rope_parameters" : "rope_scaling"),
        ": expected a JSON object, found ",
        object.dump());
  return object;
}

/// Dims of a head that rotate.
int64_t rotary_dim(ConfigJson& config, ConfigJson& params, const Draft& draft, int64_t head_dim) {
  const std::optional<double> outer = number(config, "partial_rotary_factor");
  const std::optional<double> inner = number(params, "partial_rotary_factor");
  const double factor = inner.value_or(outer.value_or(draft.partial_rotary_factor.value_or(1.0)));
  const std::string where = (inner ? params : config).where("partial_rotary_factor");
  check(draft.partial_rotary_factor || factor == 1.0,
        ErrorCode::kUnsupported,
        where,
        ": a partial rotation is not implemented for this family; only 1 is");
  check(factor > 0 && factor <= 1, ErrorCode::kFormat, where, ": expected a number above 0, at most 1");
  const auto dim = static_cast<int64_t>(static_cast<double>(head_dim) * factor);
  check(dim % 2 == 0,
        ErrorCode::kFormat,
        config.origin(),
        ": ",
        dim,
        " of head_dim ",
        head_dim,
        " is odd (num_attention_heads, head_dim or partial_rotary_factor); rotary positions turn pairs");
  return dim;
}

/// One rope from its parameters. `theta`: where they say none.
arch::RopeConfig rope_of(
    ConfigJson& config, ConfigJson& params, const std::string& prefix, Draft& draft, double theta) {
  RopeSettings settings;
  const json* type = params.find_value("rope_type");
  const json* old_type = params.find_value("type");
  if (type || old_type) settings.rope_type = as_string(type ? *type : *old_type, params.where("rope_type"));
  check(type || old_type || !params.find_value("factor"),
        ErrorCode::kFormat,
        params.where("rope_type"),
        " (before transformers 5 \"type\") is missing: nothing says what \"factor\" scales");
  const json* inner_theta = params.find_value("rope_theta");
  settings.head_dim = rotary_dim(config, params, draft, draft.config.layers.at(0).attention.head_dim);
  check_keys(params, settings.rope_type, prefix, draft);
  settings.rope_theta = inner_theta ? as_number(*inner_theta, params.where("rope_theta")) : theta;
  check(
      settings.rope_theta > 1, ErrorCode::kFormat, params.where("rope_theta"), ": expected a number above 1");
  settings.max_position_embeddings = draft.config.max_position_embeddings;

  // As in transformers: the one outside the rope parameters has priority.
  const json* outer_original = config.find_value("original_max_position_embeddings");
  const json* inner_original = params.find_value("original_max_position_embeddings");
  const json* original = outer_original ? outer_original : inner_original;
  settings.original_max_position_embeddings =
      original ? as_int(*original, config.where("original_max_position_embeddings"), 1)
               : settings.max_position_embeddings;
  read_scaling(params, settings);
  arch::RopeConfig rope = make_rope(settings);
  rope.interleaved = draft.rope_interleaved;
  return rope;
}

double outer_theta(ConfigJson& config, const std::string& key, double otherwise) {
  return number(config, key).value_or(otherwise);
}

/// Queries that grow with their position: llama_4_scaling_beta of the rope parameters.
void read_query_scale(const json& object, const std::string& where, Draft& draft) {
  const json beta = object.value("llama_4_scaling_beta", json(nullptr));
  check(!beta.is_null(), ErrorCode::kFormat, where, ".llama_4_scaling_beta is missing; this family needs it");
  const json original = object.value("original_max_position_embeddings", json(nullptr));
  for (arch::LayerConfig& layer : draft.config.layers) {
    layer.attention.query_scale.beta = as_number(beta, where + ".llama_4_scaling_beta");
    layer.attention.query_scale.interval = as_int(original, where + ".original_max_position_embeddings", 1);
  }
}

void read_rope_from(const json& object, ConfigJson& config, Draft& draft) {
  const double theta = outer_theta(config, "rope_theta", draft.rope_theta);
  check(!draft.rope_required || !object.empty(),
        ErrorCode::kFormat,
        config.where("rope_parameters"),
        " is missing; this family needs them");
  const std::string name = config.find("rope_scaling") ? "rope_scaling" : "rope_parameters";
  const json inner = object.value("rope_theta", json(nullptr));
  if (inner.is_number() && config.find_value("rope_theta") && inner != theta) {
    log::warning(config.where("rope_theta"),
                 ": ",
                 theta,
                 " has no effect: ",
                 name,
                 " has its own, ",
                 inner.dump(),
                 ", which is what transformers reads; change it there");
  }
  ConfigJson params(object, config.origin() + ": " + name);
  draft.config.ropes = {rope_of(config, params, name + ".", draft, theta)};
  if (draft.query_scale_in_rope) read_query_scale(object, config.where("rope_parameters"), draft);
  if (!draft.rope_in_windows_only || draft.layer.attention.sliding_window == 0) return;
  for (arch::LayerConfig& layer : draft.config.layers) {
    if (layer.attention.sliding_window == 0) layer.attention.rope = -1;
  }
}

}  // namespace

void read_rope(ConfigJson& config, Draft& draft) {
  read_rope_from(parameters_of(config), config, draft);
}

void read_rope_with_alpha(ConfigJson& config, Draft& draft) {
  json object = parameters_of(config);
  const json type = object.value("rope_type", object.value("type", json("default")));
  const json alpha = object.value("alpha", json(nullptr));
  if (type == "dynamic" && alpha.is_number() && alpha != 0) {
    const double factor = as_number(alpha, config.where("rope_parameters") + ".alpha");
    check(
        factor > 0, ErrorCode::kFormat, config.where("rope_parameters"), ".alpha: expected a number above 0");
    const auto dim = static_cast<double>(draft.config.layers.at(0).attention.head_dim);
    const json inner = object.value("rope_theta", json(nullptr));
    const double theta = inner.is_null() ? outer_theta(config, "rope_theta", draft.rope_theta)
                                         : as_number(inner, config.where("rope_parameters") + ".rope_theta");
    // What the file says beside it has no effect in transformers either.
    object = {{"rope_theta", theta * std::pow(factor, dim / (dim - 2))}};
  }
  object.erase("alpha");
  read_rope_from(object, config, draft);
}

void read_latent_attention(ConfigJson& config, Draft& draft) {
  const json object = parameters_of(config);
  const json type = object.value("rope_type", object.value("type", json("default")));
  const json all_dim = object.value("mscale_all_dim", json(0));
  const json factor = object.value("factor", json(nullptr));
  double growth = 1;
  if (type != "default" && all_dim.is_number() && all_dim != 0 && factor.is_number() && factor > 1)
    growth = 0.1 * all_dim.get<double>() * std::log(factor.get<double>()) + 1.0;
  for (arch::LayerConfig& layer : draft.config.layers) {
    arch::LatentAttentionConfig& latent = layer.latent;
    check(layer.attention.num_kv_heads == layer.attention.num_heads,
          ErrorCode::kUnsupported,
          config.where("num_key_value_heads"),
          ": latent attention has as many keys as queries");
    latent.num_heads = layer.attention.num_heads;
    latent.scale = growth * growth / std::sqrt(static_cast<double>(latent.qk_head_dim()));
    latent.query_scale = layer.attention.query_scale;
    latent.dropout = layer.attention.dropout;
  }
}

void read_rope_by_layer_type(ConfigJson& config, Draft& draft) {
  const double theta = outer_theta(config, "rope_theta", draft.rope_theta);
  const double local_theta = outer_theta(config, "rope_local_base_freq", draft.rope_local_theta);
  const json object = parameters_of(config);
  const bool by_type = object.contains("full_attention") || object.contains("sliding_attention");
  const std::string where = config.origin() + ": rope_parameters";
  const auto of_type = [&](const char* type, const json& otherwise) {
    return by_type ? object.value(type, json::object()) : otherwise;
  };
  // Before transformers 5 the scaling was that of full attention.
  ConfigJson full(of_type("full_attention", object), where + ".full_attention");
  ConfigJson sliding(of_type("sliding_attention", json::object()), where + ".sliding_attention");
  for (const auto& [key, value] : object.items()) {
    check(!by_type || key == "full_attention" || key == "sliding_attention",
          ErrorCode::kFormat,
          where,
          ": \"",
          key,
          "\" is unknown beside full_attention and sliding_attention");
  }
  const std::string prefix = "rope_parameters.";
  draft.config.ropes = {rope_of(config, full, prefix + "full_attention.", draft, theta),
                        rope_of(config, sliding, prefix + "sliding_attention.", draft, local_theta)};
  for (arch::LayerConfig& layer : draft.config.layers) {
    layer.attention.rope = layer.attention.sliding_window > 0 ? 1 : 0;
  }
}

}  // namespace automodel::families
